import { graphlib, layout } from "@dagrejs/dagre";
import { type Command, moveNodes } from "./commands";
import { type Graph, STICKY_NOTE } from "./document";

export interface Size {
  width: number;
  height: number;
}

const GRID = 10;
const snap = (value: number): number => Math.round(value / GRID) * GRID;

/**
 * Lays the nodes out from left to right; the chosen ones, or all. Their top left corner stays where it is, notes
 * stay too. `sizes` are those on the canvas, in the document's units.
 */
export function tidy(graph: Graph, ids: readonly string[], sizes: (id: string) => Size): Command {
  const nodes = (ids.length > 1 ? ids : Object.keys(graph.nodes)).flatMap((id) => graph.nodes[id] ?? []).filter((node) => node.type !== STICKY_NOTE);
  const chosen = new Set(nodes.map((node) => node.id));
  const sheet = new graphlib.Graph({ multigraph: true });
  sheet.setGraph({ rankdir: "LR", nodesep: 60, ranksep: 80 });
  sheet.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) sheet.setNode(node.id, { ...sizes(node.id) });
  graph.edges.forEach((edge, index) => {
    if (chosen.has(edge.from) && chosen.has(edge.to) && edge.from !== edge.to) sheet.setEdge(edge.from, edge.to, {}, String(index));
  });
  layout(sheet);
  const placed = nodes.map((node) => {
    const at = sheet.node(node.id) as Size & { x: number; y: number };
    return { id: node.id, x: at.x - at.width / 2, y: at.y - at.height / 2, node };
  });
  const dx = Math.min(...nodes.map((node) => node.position[0])) - Math.min(...placed.map((each) => each.x));
  const dy = Math.min(...nodes.map((node) => node.position[1])) - Math.min(...placed.map((each) => each.y));
  return moveNodes(new Map(placed.map((each) => [each.id, [snap(each.x + dx), snap(each.y + dy)]])));
}

export const ALIGNMENTS = ["left", "centre", "right", "top", "middle", "bottom"] as const;
export type Alignment = (typeof ALIGNMENTS)[number];

type Placed = Size & { id: string; x: number; y: number };

function placedOf(graph: Graph, ids: readonly string[], sizes: (id: string) => Size): Placed[] {
  return ids.flatMap((id) => {
    const node = graph.nodes[id];
    return node ? [{ id, x: node.position[0], y: node.position[1], ...sizes(id) }] : [];
  });
}

/** Moves nodes so that their sides, or their middles, lie on one line: that of the outermost, or of all. */
export function align(graph: Graph, ids: readonly string[], how: Alignment, sizes: (id: string) => Size): Command {
  const nodes = placedOf(graph, ids, sizes);
  const [left, top] = [Math.min(...nodes.map((node) => node.x)), Math.min(...nodes.map((node) => node.y))];
  const [right, bottom] = [Math.max(...nodes.map((node) => node.x + node.width)), Math.max(...nodes.map((node) => node.y + node.height))];
  const places: Record<Alignment, (node: Placed) => [number, number]> = {
    left: (node) => [left, node.y],
    centre: (node) => [(left + right - node.width) / 2, node.y],
    right: (node) => [right - node.width, node.y],
    top: (node) => [node.x, top],
    middle: (node) => [node.x, (top + bottom - node.height) / 2],
    bottom: (node) => [node.x, bottom - node.height],
  };
  return moveNodes(new Map(nodes.map((node) => [node.id, rounded(places[how](node))])));
}

/** Moves the nodes between the outermost two so that all gaps are the same. */
export function distribute(graph: Graph, ids: readonly string[], axis: "x" | "y", sizes: (id: string) => Size): Command {
  const length = axis === "x" ? "width" : "height";
  const nodes = placedOf(graph, ids, sizes).sort((one, other) => one[axis] - other[axis]);
  const [first, last] = [nodes[0], nodes.at(-1)];
  if (!first || !last || nodes.length < 3) return (same) => same;
  const room = last[axis] + last[length] - first[axis] - nodes.reduce((sum, node) => sum + node[length], 0);
  const gap = room / (nodes.length - 1);
  let at = first[axis];
  const places = nodes.map((node): [string, [number, number]] => {
    const place = rounded(axis === "x" ? [at, node.y] : [node.x, at]);
    at += node[length] + gap;
    return [node.id, place];
  });
  return moveNodes(new Map(places));
}

const rounded = ([x, y]: [number, number]): [number, number] => [Math.round(x), Math.round(y)];
