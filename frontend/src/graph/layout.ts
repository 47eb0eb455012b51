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
