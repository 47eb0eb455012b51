import { produce } from "immer";
import { type Edge, edgeId, type Graph, type GraphNode, type Item, STICKY_NOTE } from "./document";
import { renameInParameters } from "./rename";

/** A change of the graph. Commands are pure: the same graph comes back where they change nothing. */
export type Command = (graph: Graph) => Graph;

/** A name that no node has yet: the wanted one, else with the first free number. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  const stem = wanted.replace(/\s*\d+$/, "") || wanted;
  for (let number = 1; ; number++) {
    const name = `${stem}${number}`;
    if (!taken.has(name)) return name;
  }
}

export const names = (graph: Graph): Set<string> => new Set(Object.values(graph.nodes).map((node) => node.name));

export const nodeByName = (graph: Graph, name: string): GraphNode | undefined =>
  Object.values(graph.nodes).find((node) => node.name === name);

export const addNode = (node: GraphNode): Command =>
  produce<Graph>((graph) => {
    graph.nodes[node.id] = { ...node, name: freeName(node.name, names(graph)) };
  });

export const removeNodes = (ids: readonly string[]): Command => {
  const gone = new Set(ids);
  return produce<Graph>((graph) => {
    if (!ids.some((id) => id in graph.nodes)) return;
    for (const id of ids) {
      const node = graph.nodes[id];
      if (!node) continue;
      Reflect.deleteProperty(graph.pins, node.name);
      Reflect.deleteProperty(graph.nodes, id);
    }
    if (graph.edges.some((edge) => gone.has(edge.from) || gone.has(edge.to))) {
      graph.edges = graph.edges.filter((edge) => !gone.has(edge.from) && !gone.has(edge.to));
    }
  });
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

export const moveNodes = (positions: ReadonlyMap<string, [number, number]>): Command =>
  produce<Graph>((graph) => {
    for (const [id, position] of positions) {
      const node = graph.nodes[id];
      if (node && (node.position[0] !== position[0] || node.position[1] !== position[1])) node.position = position;
    }
  });

export const connect = (edge: Edge): Command =>
  produce<Graph>((graph) => {
    if (!(edge.from in graph.nodes) || !(edge.to in graph.nodes)) return;
    if (graph.edges.some((known) => edgeId(known) === edgeId(edge))) return;
    graph.edges.push(edge);
  });

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
  const from = node.name;
  return produce(graph, (draft) => {
    for (const [each, held] of Object.entries(graph.nodes)) {
      const parameters = renameInParameters(held.parameters, from, to);
      const changed = draft.nodes[each];
      if (changed && parameters !== held.parameters) changed.parameters = parameters;
    }
    const renamed = draft.nodes[id];
    if (renamed) renamed.name = to;
    const pinned = graph.pins[from];
    if (pinned) {
      Reflect.deleteProperty(draft.pins, from);
      draft.pins[to] = pinned;
    }
  });
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

/** Replaces members of a node; undefined removes one. */
export const changeNode = (id: string, change: { [Key in keyof NodeChange]: NodeChange[Key] | undefined }): Command => (graph) => {
  const node = graph.nodes[id];
  if (!node) return graph;
  const changed = Object.entries({ ...node, ...change }).filter(([, value]) => value !== undefined);
  return { ...graph, nodes: { ...graph.nodes, [id]: Object.fromEntries(changed) as unknown as GraphNode } };
};

/** Disables the nodes, or enables them where all of them are disabled. Notes have nothing to disable. */
export const toggleDisabled = (ids: readonly string[]): Command =>
  produce<Graph>((graph) => {
    const nodes = ids.flatMap((id) => graph.nodes[id] ?? []).filter((node) => node.type !== STICKY_NOTE);
    const disable = nodes.some((node) => !node.disabled);
    for (const node of nodes) {
      if (disable) node.disabled = true;
      else delete node.disabled;
    }
  });

export const pin = (name: string, items: Item[] | null): Command =>
  produce<Graph>((graph) => {
    if (items) graph.pins[name] = items;
    else Reflect.deleteProperty(graph.pins, name);
  });

export const changeWorkflow = (change: Partial<Pick<Graph, "name" | "settings">>): Command => (graph) => ({ ...graph, ...change });
