import type { GraphNode } from "../graph/document";
import type { Ports } from "../graph/ports";
import type { Size } from "../graph/layout";

/** Documents are drawn wider than they are stored: our node faces carry their name beside the icon. */
export const STRETCH = 1.3;
export const NODE_WIDTH = 190;
const ROW = 26;
const LEAST = 62;

export const toCanvas = ([x, y]: [number, number]): { x: number; y: number } => ({ x: x * STRETCH, y });
export const toDocument = ({ x, y }: { x: number; y: number }): [number, number] => [Math.round(x / STRETCH), Math.round(y)];

/** Height of a node's face: it grows with its ports. */
export const heightOf = (ports: Ports): number => Math.max(LEAST, Math.max(ports.inputs.length, ports.outputs.length) * ROW + 12);

export const sizeInDocument = (ports: Ports): Size => ({ width: NODE_WIDTH / STRETCH, height: heightOf(ports) });

export interface NoteSize {
  width: number;
  height: number;
  color: number;
}

export function noteSize(node: GraphNode): NoteSize {
  const { width, height, color } = node.parameters;
  const number = (value: unknown, fallback: number) => (typeof value === "number" ? value : fallback);
  return { width: number(width, 240) * STRETCH, height: number(height, 160), color: number(color, 1) };
}
