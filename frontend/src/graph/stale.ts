import { text } from "./diff";
import type { Graph } from "./document";
import { reached } from "./reach";

/** What a node's data follows from, by name: all that it is but its place and notes, its pinned data, the ways into it. */
function causes(graph: Graph): Map<string, string> {
  const ways = new Map<string, unknown[]>();
  for (const edge of graph.edges) {
    const into = ways.get(edge.to) ?? [];
    into.push([graph.nodes[edge.from]?.name, edge.kind, edge.output, edge.input].join("\n"));
    ways.set(edge.to, into);
  }
  return new Map(
    Object.values(graph.nodes).map((node) => [
      node.name,
      text([{ ...node, id: "", position: null, notes: null, notesInFlow: null }, graph.pins[node.name] ?? null, (ways.get(node.id) ?? []).sort()]),
    ]),
  );
}

/** Names of the nodes that would give something else now than they did in a run of `ran`: the changed ones and all after them. */
export function stale(ran: Graph, now: Graph): Set<string> {
  const [before, after] = [causes(ran), causes(now)];
  const changed = Object.values(now.nodes).filter(({ name }) => before.get(name) !== after.get(name));
  return new Set([...reached(now, changed.map((node) => node.id), "after")].flatMap((id) => now.nodes[id]?.name ?? []));
}
