/** Named groups of nodes, as n8n writes them (`nodeGroups`), with a colour of ours (`meta.weft.groupColors`). */

import type { Command } from "./commands";
import { type Edge, edgeId, type Graph, type GraphNode, type Group, STICKY_NOTE } from "./document";

export const GROUP_COLOURS = 7;

/** The groups with the nodes that are there; a node belongs to one at most. */
export function groupsOf(graph: Graph): Group[] {
  const taken = new Set<string>();
  return (graph.groups ?? []).flatMap((group) => {
    const nodeIds = group.nodeIds.filter((id) => id in graph.nodes && !taken.has(id));
    for (const id of nodeIds) taken.add(id);
    return nodeIds.length > 0 ? [nodeIds.length === group.nodeIds.length ? group : { ...group, nodeIds }] : [];
  });
}

/** The groups that a selection touches. */
export const groupsAt = (graph: Graph, ids: readonly string[]): Group[] => {
  const chosen = new Set(ids);
  return groupsOf(graph).filter((group) => group.nodeIds.some((id) => chosen.has(id)));
};

/** Makes a group of nodes; they leave the groups that they were in. */
export const groupNodes = (id: string, name: string, ids: readonly string[]): Command => (graph) => {
  const nodeIds = ids.filter((each) => each in graph.nodes);
  if (nodeIds.length === 0) return graph;
  const chosen = new Set(nodeIds);
  const others = groupsOf(graph).map((group) => ({ ...group, nodeIds: group.nodeIds.filter((each) => !chosen.has(each)) }));
  const color = ((graph.groups?.length ?? 0) % GROUP_COLOURS) + 1;
  return { ...graph, groups: [...others.filter((group) => group.nodeIds.length > 0), { id, name, nodeIds, color }] };
};

/** Ends groups; their nodes stay. */
export const ungroup = (ids: readonly string[]): Command => (graph) => {
  const gone = new Set(ids);
  const groups = graph.groups?.filter((group) => !gone.has(group.id));
  return groups && groups.length !== graph.groups?.length ? { ...graph, groups } : graph;
};

export const changeGroup = (id: string, change: Partial<Pick<Group, "name" | "color">>): Command => (graph) => {
  const groups = graph.groups?.map((group) => (group.id === id ? { ...group, ...change } : group));
  return groups ? { ...graph, groups } : graph;
};

/** The type of a node that stands for a folded group: on the canvas only, never in a document. */
export const FOLDED = "weft.folded";
const PREFIX = "folded:";

export const faceOf = (group: string): string => PREFIX + group;
export const groupOfFace = (id: string): string | null => (id.startsWith(PREFIX) ? id.slice(PREFIX.length) : null);

/** Node ids with those of folded groups in place of their faces. */
export function unfoldedIds(graph: Graph, ids: Iterable<string>): string[] {
  if (!graph.groups?.length) return [...new Set(ids)];
  const groups = new Map(groupsOf(graph).map((group) => [group.id, group.nodeIds]));
  return [...new Set([...ids].flatMap((id) => groups.get(groupOfFace(id) ?? "") ?? [id]))];
}

const known = new WeakMap<Graph, { folded: ReadonlySet<string>; graph: Graph }>();

/** The graph as it is seen: each folded group is one node, with the connections that lead into and out of it. */
export function foldedGraph(graph: Graph, folded: ReadonlySet<string>): Graph {
  if (folded.size === 0 || !graph.groups?.length) return graph;
  const held = known.get(graph);
  if (held?.folded === folded) return held.graph;
  const groups = groupsOf(graph).filter((group) => folded.has(group.id));
  const seen = groups.length === 0 ? graph : fold(graph, groups);
  known.set(graph, { folded, graph: seen });
  return seen;
}

function fold(graph: Graph, groups: Group[]): Graph {
  const face = new Map(groups.flatMap((group) => group.nodeIds.map((id) => [id, faceOf(group.id)] as const)));
  const ports = new Map<string, { inputs: string[]; outputs: string[] }>(groups.map((group) => [faceOf(group.id), { inputs: [], outputs: [] }]));
  const crossing = graph.edges.filter((edge) => face.get(edge.from) !== face.get(edge.to) || !face.has(edge.from));
  const height = (id: string) => graph.nodes[id]?.position[1] ?? 0;
  for (const edge of [...crossing].sort((left, right) => height(left.from) - height(right.from) || left.output - right.output)) add(ports.get(face.get(edge.from) ?? ""), "outputs", edge);
  for (const edge of [...crossing].sort((left, right) => height(left.to) - height(right.to) || left.input - right.input)) add(ports.get(face.get(edge.to) ?? ""), "inputs", edge);
  const edges = crossing.map((edge): Edge => {
    const [from, to] = [face.get(edge.from), face.get(edge.to)];
    if (edge.kind !== "main") return { ...edge, from: from ?? edge.from, to: to ?? edge.to };
    return {
      ...edge,
      ...(from !== undefined && { from, output: ports.get(from)?.outputs.indexOf(`${edge.from}/${edge.output}`) ?? 0 }),
      ...(to !== undefined && { to, input: ports.get(to)?.inputs.indexOf(`${edge.to}/${edge.input}`) ?? 0 }),
    };
  });
  const nodes = Object.fromEntries(Object.entries(graph.nodes).filter(([id]) => !face.has(id)));
  for (const group of groups) {
    const id = faceOf(group.id);
    nodes[id] = faceNode(id, group, graph, ports.get(id) ?? { inputs: [], outputs: [] });
  }
  return { ...graph, nodes, edges: [...new Map(edges.map((edge) => [edgeId(edge), edge])).values()] };
}

function add(ports: { inputs: string[]; outputs: string[] } | undefined, side: "inputs" | "outputs", edge: Edge): void {
  const port = side === "outputs" ? `${edge.from}/${edge.output}` : `${edge.to}/${edge.input}`;
  if (ports && edge.kind === "main" && !ports[side].includes(port)) ports[side].push(port);
}

function faceNode(id: string, group: Group, graph: Graph, ports: { inputs: string[]; outputs: string[] }): GraphNode {
  const members = group.nodeIds.flatMap((each) => graph.nodes[each] ?? []);
  const position: [number, number] = [Math.min(...members.map((node) => node.position[0])), Math.min(...members.map((node) => node.position[1]))];
  const count = members.filter((node) => node.type !== STICKY_NOTE).length;
  return { id, name: group.name, type: FOLDED, typeVersion: 1, position, parameters: { inputs: ports.inputs, outputs: ports.outputs, members: members.map((node) => node.name), count, color: group.color } };
}
