import type { useStoreApi } from "@xyflow/react";
import type { Moved } from "./sheets";

type Sheet = ReturnType<typeof useStoreApi>;

interface Held {
  element: HTMLElement;
  x: number;
  y: number;
}

/**
 * Moves the elements of dragged nodes of a large workflow by themselves, so that nothing else is worked out in each frame;
 * their connections are painted meanwhile.
 */
export class Shifting {
  private ids: ReadonlySet<string> = new Set();
  private held: Held[] = [];

  constructor(private readonly sheet: Sheet) {}

  show({ ids, x, y }: Moved): void {
    if (ids !== this.ids) this.hold(ids);
    for (const held of this.held) held.element.style.transform = `translate(${held.x + x}px, ${held.y + y}px)`;
  }

  private hold(ids: ReadonlySet<string>): void {
    const { domNode, nodeLookup, edgeLookup } = this.sheet.getState();
    const place = (element: HTMLElement): Held => ({ element, x: 0, y: 0, ...nodeLookup.get(element.dataset.id ?? "")?.internals.positionAbsolute });
    for (const { element } of this.held) {
      const { x, y } = place(element);
      element.style.transform = `translate(${x}px,${y}px)`;
    }
    this.ids = ids;
    domNode?.classList.toggle("dragging-many", ids.size > 0);
    this.held = [...(domNode?.querySelectorAll<HTMLElement>(".react-flow__node") ?? [])].filter((element) => ids.has(element.dataset.id ?? "")).map(place);
    for (const element of domNode?.querySelectorAll<SVGElement>(".react-flow__edge") ?? []) {
      const edge = edgeLookup.get(element.dataset.id ?? "");
      element.classList.toggle("pulled", edge !== undefined && (ids.has(edge.source) || ids.has(edge.target)));
    }
  }
}
