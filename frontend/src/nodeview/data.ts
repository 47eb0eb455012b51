import type { ExecutionData, NodeRun } from "../api/types";
import type { Graph, Item } from "../graph/document";

/** Where a node's input may come from: a node before it and its output. */
export interface Origin {
  node: string;
  output: number;
}

/** Direct predecessors of a node over main connections, in order of its inputs. */
export function originsOf(graph: Graph, id: string): Origin[] {
  const edges = graph.edges.filter((edge) => edge.to === id && edge.kind === "main").sort((left, right) => left.input - right.input);
  return edges.flatMap((edge) => {
    const node = graph.nodes[edge.from];
    return node ? [{ node: node.name, output: edge.output }] : [];
  });
}

/** Every node that comes before a node, nearest first. */
export function before(graph: Graph, id: string): string[] {
  const found = new Set<string>();
  let ring = [id];
  while (ring.length > 0) {
    ring = graph.edges.filter((edge) => ring.includes(edge.to) && edge.from !== id && !found.has(edge.from)).map((edge) => edge.from);
    for (const each of ring) found.add(each);
  }
  return [...found].flatMap((each) => graph.nodes[each]?.name ?? []);
}

export const runsOf = (data: ExecutionData | undefined, node: string): NodeRun[] => data?.node_data?.[node] ?? [];

/** The items that a node gave at an output in a run; its pinned data where it has not run. */
export function itemsOf(data: ExecutionData | undefined, graph: Graph, node: string, output: number, run: number): Item[] | null {
  const runs = runsOf(data, node);
  const held = runs[Math.min(run, runs.length - 1)];
  if (held?.outputs) return held.outputs[output] ?? [];
  return graph.pins[node] ?? null;
}

export type Path = (string | number)[];

/** A value in a line. */
export const brief = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 200);

/** The kind of a value, as schemas say it. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

const DEEPEST = 4;
const MOST = 200;

/** Paths of an object's fields, down to a depth; of lists the first member. */
export function pathsOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null || path.length >= DEEPEST) return [];
  const entries: [string | number, unknown][] = Array.isArray(value) ? value.slice(0, 1).map((member, index) => [index, member]) : Object.entries(value);
  return entries.flatMap(([key, member]) => [[...path, key], ...pathsOf(member, [...path, key])]).slice(0, MOST);
}
