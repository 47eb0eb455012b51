import { type Edge, edgeId, type Graph, type GraphNode, type Item, STICKY_NOTE } from "./document";
import { renameInParameters } from "./rename";

/** A change of the graph. Commands are pure: the same graph comes back where they change nothing. */
export type Command = (graph: Graph) => Graph;

/** Gives names that no node has yet, and takes them: the wanted one, else with the first free number. */
export function freeNames(taken: Set<string>): (wanted: string) => string {
  const next = new Map<string, number>();
  return (wanted) => {
    let name = wanted;
    const stem = wanted.replace(/\s*\d+$/, "") || wanted;
    let number = next.get(stem) ?? 1;
    while (taken.has(name)) name = `${stem}${number++}`;
    if (name !== wanted) next.set(stem, number);
    taken.add(name);
    return name;
  };
}

export const freeName = (wanted: string, taken: ReadonlySet<string>): string => freeNames(new Set(taken))(wanted);

export const names = (graph: Graph): Set<string> => new Set(Object.values(graph.nodes).map((node) => node.name));

export const nodeByName = (graph: Graph, name: string): GraphNode | undefined =>
  Object.values(graph.nodes).find((node) => node.name === name);

export const addNode = (node: GraphNode): Command => (graph) => ({ ...graph, nodes: { ...graph.nodes, [node.id]: { ...node, name: freeName(node.name, names(graph)) } } });

/** The same object where nothing is left out. */
function without<Value>(held: Record<string, Value>, gone: ReadonlySet<string>): Record<string, Value> {
  const entries = Object.entries(held);
  const kept = entries.filter(([key]) => !gone.has(key));
  return kept.length === entries.length ? held : Object.fromEntries(kept);
}

export const removeNodes = (ids: readonly string[]): Command => (graph) => {
  const gone = new Set(ids.filter((id) => id in graph.nodes));
  if (gone.size === 0) return graph;
  const left = new Set([...gone].flatMap((id) => graph.nodes[id]?.name ?? []));
  const edges = graph.edges.filter((edge) => !gone.has(edge.from) && !gone.has(edge.to));
  return { ...graph, nodes: without(graph.nodes, gone), edges: edges.length === graph.edges.length ? graph.edges : edges, pins: without(graph.pins, left) };
};

/** Removes nodes and joins what came into the first input with what hung on the first output. */
export const removeAndJoin = (id: string): Command => (graph) => {
  const into = graph.edges.filter((edge) => edge.to === id && edge.kind === "main" && edge.from !== id);
  const out = graph.edges.filter((edge) => edge.from === id && edge.kind === "main" && edge.output === 0 && edge.to !== id);
  let after = removeNodes([id])(graph);
  for (const left of into) {
    for (const right of out) after = connect({ ...left, to: right.to, input: right.input })(after);
  }
  return after;
};

/** Puts changed nodes in their places; the same graph where there is none. */
const withNodes = (graph: Graph, nodes: readonly GraphNode[]): Graph =>
  nodes.length === 0 ? graph : { ...graph, nodes: { ...graph.nodes, ...Object.fromEntries(nodes.map((node) => [node.id, node])) } };

export const moveNodes = (positions: ReadonlyMap<string, [number, number]>): Command => (graph) =>
  withNodes(graph, [...positions].flatMap(([id, position]) => {
    const node = graph.nodes[id];
    return node && (node.position[0] !== position[0] || node.position[1] !== position[1]) ? [{ ...node, position }] : [];
  }));

export const connect = (edge: Edge): Command => (graph) => {
  if (!(edge.from in graph.nodes) || !(edge.to in graph.nodes) || graph.edges.some((known) => edgeId(known) === edgeId(edge))) return graph;
  return { ...graph, edges: [...graph.edges, edge] };
};

export const disconnect = (ids: readonly string[]): Command => (graph) => {
  const gone = new Set(ids);
  const edges = graph.edges.filter((edge) => !gone.has(edgeId(edge)));
  return edges.length === graph.edges.length ? graph : { ...graph, edges };
};

/** Puts a node between the two ends of an edge. */
export const insertOnEdge = (edge: Edge, node: GraphNode): Command => (graph) => {
  const added = addNode(node)(graph);
  const cut = disconnect([edgeId(edge)])(added);
  const left = connect({ from: edge.from, output: edge.output, to: node.id, input: 0, kind: "main" })(cut);
  return connect({ from: node.id, output: 0, to: edge.to, input: edge.input, kind: "main" })(left);
};

/** Renames a node, its pins, and every expression that refers to it. The name is made free first. */
export const renameNode = (id: string, wanted: string): Command => (graph) => {
  const node = graph.nodes[id];
  const name = wanted.trim();
  if (!node || !name || node.name === name) return graph;
  const taken = names(graph);
  taken.delete(node.name);
  const to = freeName(name, taken);
  const renames = new Map([[node.name, to]]);
  const renamed = Object.values(graph.nodes).flatMap((held): GraphNode[] => {
    const parameters = renameInParameters(held.parameters, renames);
    return held === node ? [{ ...held, name: to, parameters }] : parameters === held.parameters ? [] : [{ ...held, parameters }];
  });
  const pinned = graph.pins[node.name];
  const pins = pinned ? { ...without(graph.pins, new Set([node.name])), [to]: pinned } : graph.pins;
  return { ...withNodes(graph, renamed), pins };
};

/**
 * Puts another node in a node's place. Connections stay where the new one has such a port; so does a name that was given
 * by hand, else expressions follow the new one. `named`: the display name of the old type.
 */
export const replaceNode = (id: string, by: GraphNode, named: string, ports: { inputs: unknown[]; outputs: unknown[] }): Command => (graph) => {
  const old = graph.nodes[id];
  if (!old) return graph;
  const given = !old.name.startsWith(named);
  const renamed = given ? graph : renameNode(id, by.name)(graph);
  const name = renamed.nodes[id]?.name ?? old.name;
  const { position, disabled, notes } = old;
  const node: GraphNode = { ...by, id, name, position, ...(disabled && { disabled }), ...(notes && { notes }) };
  const fits = (edge: Edge) =>
    edge.kind !== "main" || ((edge.to !== id || edge.input < ports.inputs.length) && (edge.from !== id || edge.output < ports.outputs.length));
  const pins = Object.fromEntries(Object.entries(renamed.pins).filter(([pinned]) => pinned !== name));
  return { ...renamed, nodes: { ...renamed.nodes, [id]: node }, edges: renamed.edges.filter(fits), pins };
};

export type NodeChange = Partial<Omit<GraphNode, "id" | "name">>;

type Members = { [Key in keyof NodeChange]: NodeChange[Key] | undefined };

const changed = (node: GraphNode, change: Members): GraphNode =>
  Object.fromEntries(Object.entries({ ...node, ...change }).filter(([, value]) => value !== undefined)) as unknown as GraphNode;

/** Replaces members of a node; undefined removes one. */
export const changeNode = (id: string, change: Members): Command => (graph) => {
  const node = graph.nodes[id];
  return node ? withNodes(graph, [changed(node, change)]) : graph;
};

/** Disables the nodes, or enables them where all of them are disabled. Notes have nothing to disable. */
export const toggleDisabled = (ids: readonly string[]): Command => (graph) => {
  const nodes = ids.flatMap((id) => graph.nodes[id] ?? []).filter((node) => node.type !== STICKY_NOTE);
  const disable = nodes.some((node) => !node.disabled);
  return withNodes(graph, nodes.filter((node) => (node.disabled ?? false) !== disable).map((node) => changed(node, { disabled: disable || undefined })));
};

export const pin = (name: string, items: Item[] | null): Command => (graph) => {
  if (items) return { ...graph, pins: { ...graph.pins, [name]: items } };
  const pins = without(graph.pins, new Set([name]));
  return pins === graph.pins ? graph : { ...graph, pins };
};

export const changeWorkflow = (change: Partial<Pick<Graph, "name" | "settings">>): Command => (graph) => ({ ...graph, ...change });
