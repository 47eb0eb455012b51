import { useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";

const GAP = 22;
/** The gap on the screen lies between this and its double, in pixels. */
const LEAST_GAP = 16;

/** The dotted ground: one layer that is shifted and scaled, so that moving the view draws nothing; far away dots are left out. */
export function Dots() {
  const sheet = useStoreApi();
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = () => {
      const [x, y, zoom] = sheet.getState().transform;
      const gap = GAP * zoom * 2 ** Math.ceil(Math.log2(LEAST_GAP / (GAP * zoom)));
      if (element.current) element.current.style.transform = `translate(${x % gap}px, ${y % gap}px) scale(${gap / LEAST_GAP})`;
    };
    place();
    return sheet.subscribe((now, before) => { if (now.transform !== before.transform) place(); });
  }, [sheet]);
  return <div ref={element} className="dots" aria-hidden="true" />;
}
