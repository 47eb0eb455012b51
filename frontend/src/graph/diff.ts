import { type Graph, readDocument, type WorkflowDocument } from "./document";

export interface Difference {
  added: string[];
  removed: string[];
  changed: string[];
  /** Whether connections, settings or pinned data differ. */
  wiring: boolean;
}

/** Equal for equal values, however their members are ordered. */
export const text = (value: unknown): string => JSON.stringify(value, (_, member: unknown) => (isPlain(member) ? Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1))) : member));

const isPlain = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

const links = (graph: Graph): string =>
  text(graph.edges.map((edge) => [graph.nodes[edge.from]?.name, edge.kind, edge.output, graph.nodes[edge.to]?.name, edge.input].join("\n")).sort());

/** What differs between two documents, by node name. Where a node stands makes no difference. */
export function compare(before: WorkflowDocument, after: WorkflowDocument): Difference {
  const [old, now] = [readDocument(before), readDocument(after)];
  const face = (graph: Graph) => new Map(Object.values(graph.nodes).map((node) => [node.name, text({ ...node, id: "", position: [0, 0] })]));
  const [left, right] = [face(old), face(now)];
  return {
    added: [...right.keys()].filter((name) => !left.has(name)),
    removed: [...left.keys()].filter((name) => !right.has(name)),
    changed: [...right].filter(([name, held]) => left.has(name) && left.get(name) !== held).map(([name]) => name),
    wiring: links(old) !== links(now) || text(old.settings) !== text(now.settings),
  };
}

export const isSame = (difference: Difference): boolean =>
  difference.added.length + difference.removed.length + difference.changed.length === 0 && !difference.wiring;
