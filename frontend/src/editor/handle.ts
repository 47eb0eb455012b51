import { useReactFlow } from "@xyflow/react";
import { type PointerEvent, useEffect, useRef } from "react";

/** A press that moves less, in pixels, is a click. */
const STILL = 3;

/**
 * Pointer handlers of an element that pulls something over the canvas: how far, in canvas units, and whether it was
 * dropped. `click`: a press that pulled nothing. `lost`: the element is taken away while it pulls.
 */
export function useHandle(pull: (x: number, y: number, dropped: boolean) => void, click?: () => void, lost?: () => void) {
  const flow = useReactFlow();
  const from = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  useEffect(() => () => { if (from.current?.moved) lost?.(); }, [lost]);
  const way = (event: PointerEvent, { x, y }: { x: number; y: number }): [number, number] => [(event.clientX - x) / flow.getZoom(), (event.clientY - y) / flow.getZoom()];
  const drop = (event: PointerEvent) => {
    const held = from.current;
    from.current = null;
    if (held?.moved) pull(...way(event, held), true);
    else if (held) click?.();
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      from.current = { x: event.clientX, y: event.clientY, moved: false };
    },
    onPointerMove: (event: PointerEvent) => {
      const held = from.current;
      if (!held) return;
      held.moved ||= Math.hypot(event.clientX - held.x, event.clientY - held.y) > STILL;
      if (held.moved) pull(...way(event, held), false);
    },
    onPointerUp: drop,
    onPointerCancel: drop,
  };
}
