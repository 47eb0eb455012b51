import type { Command } from "./commands";
import type { Graph, GraphNode } from "./document";

/** What of a graph becomes something else: whole members, and single nodes where only those changed. */
interface Patch {
  members: Partial<Graph>;
  nodes: Record<string, GraphNode>;
}

interface Step {
  forward: Patch[];
  back: Patch[];
  /** Steps with the same tag in a row become one (typing in a field, for instance). */
  tag: string;
}

/** A graph with what led to it, as patches. */
export interface History {
  graph: Graph;
  past: Step[];
  future: Step[];
}

const LONGEST = 500;

export const begin = (graph: Graph): History => ({ graph, past: [], future: [] });

/** Applies a command; the same history where it changes nothing. What was undone is gone then. */
export function apply(history: History, command: Command, tag = ""): History {
  const graph = command(history.graph);
  const forward = difference(history.graph, graph);
  if (!forward) return history;
  const back = difference(graph, history.graph) ?? forward;
  const last = history.past.at(-1);
  if (tag && last?.tag === tag && history.future.length === 0) {
    const joined = { forward: [...last.forward, forward], back: [back, ...last.back], tag };
    return { graph, past: [...history.past.slice(0, -1), joined], future: [] };
  }
  return { graph, past: [...history.past, { forward: [forward], back: [back], tag }].slice(-LONGEST), future: [] };
}

/** What turns one graph into another that shares what is equal; null where nothing does. */
function difference(before: Graph, after: Graph): Patch | null {
  const keys = (Object.keys({ ...before, ...after }) as (keyof Graph)[]).filter((key) => key !== "nodes" && before[key] !== after[key]);
  const members = Object.fromEntries(keys.map((key) => [key, after[key]])) as Partial<Graph>;
  const ids = Object.keys(after.nodes);
  const same = ids.length === Object.keys(before.nodes).length && ids.every((id) => id in before.nodes);
  const nodes: Record<string, GraphNode> = {};
  if (!same) members.nodes = after.nodes;
  else for (const [id, node] of Object.entries(after.nodes)) if (before.nodes[id] !== node) nodes[id] = node;
  return Object.keys(members).length + Object.keys(nodes).length > 0 ? { members, nodes } : null;
}

function patched(graph: Graph, patches: Patch[]): Graph {
  return patches.reduce((held, { members, nodes }) => {
    const changed = Object.keys(nodes).length > 0 ? { nodes: { ...held.nodes, ...nodes } } : {};
    return { ...held, ...members, ...changed };
  }, graph);
}

export function undo(history: History): History {
  const step = history.past.at(-1);
  if (!step) return history;
  return { graph: patched(history.graph, step.back), past: history.past.slice(0, -1), future: [step, ...history.future] };
}

export function redo(history: History): History {
  const [step, ...future] = history.future;
  if (!step) return history;
  return { graph: patched(history.graph, step.forward), past: [...history.past, step], future };
}
