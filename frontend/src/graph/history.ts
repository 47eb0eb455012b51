import { applyPatches, enablePatches, type Patch, produceWithPatches } from "immer";
import type { Command } from "./commands";
import type { Graph } from "./document";

enablePatches();

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
  const after = command(history.graph);
  if (after === history.graph) return history;
  const [graph, forward, back] = difference(history.graph, after);
  if (forward.length === 0) return history;
  const last = history.past.at(-1);
  if (tag && last?.tag === tag && history.future.length === 0) {
    const joined = { forward: [...last.forward, ...forward], back: [...back, ...last.back], tag };
    return { graph, past: [...history.past.slice(0, -1), joined], future: [] };
  }
  return { graph, past: [...history.past, { forward, back, tag }].slice(-LONGEST), future: [] };
}

/** The patches between two graphs that share what is equal: nodes one by one, the rest by member. */
function difference(before: Graph, after: Graph): readonly [Graph, Patch[], Patch[]] {
  return produceWithPatches(before, (draft) => {
    for (const id of Object.keys(before.nodes)) if (!(id in after.nodes)) Reflect.deleteProperty(draft.nodes, id);
    for (const [id, node] of Object.entries(after.nodes)) if (before.nodes[id] !== node) draft.nodes[id] = node;
    if (before.edges !== after.edges) draft.edges = after.edges;
    if (before.pins !== after.pins) draft.pins = after.pins;
    if (before.settings !== after.settings) draft.settings = after.settings;
    if (before.name !== after.name) draft.name = after.name;
  });
}

export function undo(history: History): History {
  const step = history.past.at(-1);
  if (!step) return history;
  const graph = applyPatches(history.graph, step.back);
  return { graph, past: history.past.slice(0, -1), future: [step, ...history.future] };
}

export function redo(history: History): History {
  const [step, ...future] = history.future;
  if (!step) return history;
  return { graph: applyPatches(history.graph, step.forward), past: [...history.past, step], future };
}
