import type { Graph, Group } from "../graph/document";
import { groupsOf } from "../graph/groups";
import type { Colours } from "./colours";
import { around, type Box } from "./scene";
import type { Moved } from "./sheets";

/** A group that is open, and the box around its nodes, in canvas units. */
export interface Frame {
  group: Group;
  box: Box;
}

const ASIDE = 22;
/** Room for the group's name. */
export const HEAD = 40;

export function framesOf(graph: Graph, boxOf: (id: string) => Box | undefined): Frame[] {
  if (!graph.groups?.length) return [];
  return groupsOf(graph).flatMap((group) => {
    const box = around(group.nodeIds.flatMap((id) => boxOf(id) ?? []));
    return box ? [{ group, box: { x: box.x - ASIDE, y: box.y - ASIDE - HEAD, width: box.width + 2 * ASIDE, height: box.height + 2 * ASIDE + HEAD } }] : [];
  });
}

/** Where nodes lie that may be on their way. */
export const onTheirWay = (boxOf: (id: string) => Box | undefined, { ids, x, y }: Moved) => (id: string): Box | undefined => {
  const box = boxOf(id);
  return box && ids.has(id) ? { ...box, x: box.x + x, y: box.y + y } : box;
};

const TINT = 0.55;

/** A frame under the painted nodes of a large workflow; its head is an element. */
export function paintFrame(canvas: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, { group, box }: Frame, colours: Colours, zoom: number): void {
  canvas.beginPath();
  canvas.roundRect(box.x, box.y, box.width, box.height, 16);
  canvas.globalAlpha = TINT;
  canvas.fillStyle = colours[`note-${((group.color - 1) % 7) + 1}` as keyof Colours];
  canvas.fill();
  canvas.globalAlpha = 1;
  canvas.strokeStyle = colours["line-strong"];
  canvas.lineWidth = Math.max(1.5, 1 / zoom);
  canvas.stroke();
}
