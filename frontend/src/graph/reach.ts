import type { Graph } from "./document";

/** Ids of the nodes that can be reached from some, along the connections or against them; with these themselves. */
export function reached(graph: Graph, from: Iterable<string>, side: "before" | "after"): Set<string> {
  const [near, far] = side === "before" ? (["to", "from"] as const) : (["from", "to"] as const);
  const found = new Set(from);
  for (const id of found) {
    for (const edge of graph.edges) if (edge[near] === id) found.add(edge[far]);
  }
  return found;
}

/** Names of all nodes that lie before or after a node (by name) along the connections, without itself. */
export function linked(graph: Graph, name: string, side: "before" | "after"): Set<string> {
  const start = Object.values(graph.nodes).find((node) => node.name === name)?.id ?? "";
  const found = reached(graph, [start], side);
  found.delete(start);
  return new Set([...found].flatMap((id) => graph.nodes[id]?.name ?? []));
}
