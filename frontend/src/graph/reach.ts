import type { Graph } from "./document";

/** Names of all nodes that lie before or after a node (by name) along the connections, without itself. */
export function linked(graph: Graph, name: string, side: "before" | "after"): Set<string> {
  const [near, far] = side === "before" ? (["to", "from"] as const) : (["from", "to"] as const);
  const start = Object.values(graph.nodes).find((node) => node.name === name)?.id ?? "";
  const found = new Set([start]);
  for (const id of found) {
    for (const edge of graph.edges) if (edge[near] === id) found.add(edge[far]);
  }
  found.delete(start);
  return new Set([...found].flatMap((id) => graph.nodes[id]?.name ?? []));
}
