import type { ExecutionData, NodeRun, NodeStatus } from "../api/types";
import type { Frame } from "../live/frames";
import type { NodeState, Run } from "./store";

const FINAL = new Set(["success", "error", "cancelled"]);

export const begun = (id: string): Run => ({ id, status: "running", nodes: {}, error: null });

/** Items per output over several runs. A run that was not heard of is a hole in the list. */
function sum(each: readonly number[][]): number[] {
  const total: number[] = [];
  each.forEach((counts) => counts.forEach((count, output) => { total[output] = (total[output] ?? 0) + count; }));
  return total;
}

const stateOf = (runs: NodeRun[]): NodeState | null => {
  const last = runs.at(-1);
  const each = runs.map((run) => run.counts);
  return last ? { status: last.status, runs: runs.length, each, counts: sum(each), error: last.error } : null;
};

/** The run that a stored execution shows. */
export function runOf(execution: ExecutionData): Run {
  const nodes: Record<string, NodeState> = {};
  for (const [name, runs] of Object.entries(execution.node_data ?? {})) {
    const state = stateOf(runs);
    if (state) nodes[name] = state;
  }
  return { id: execution.id, status: execution.status, nodes, error: execution.error };
}

/** The run after a frame of its execution; the same one where the frame tells nothing. An end is never taken back. */
export function follow(run: Run, frame: Frame): Run {
  const { data, type } = frame;
  if (data.execution_id !== run.id) return run;
  const node = data.node ?? "";
  switch (type) {
    case "execution.started":
      return FINAL.has(run.status) ? run : { ...run, status: "running" };
    case "execution.waiting":
      return FINAL.has(run.status) ? run : { ...run, status: "waiting", nodes: withState(run, node, "waiting") };
    case "execution.completed":
      return { ...run, status: data.status ?? "success", error: data.error ?? null, nodes: settled(run, data.status ?? "success") };
    case "node.executing": {
      if (FINAL.has(run.status)) return run;
      return { ...run, status: "running", nodes: withState(run, node, "running") };
    }
    case "node.completed": {
      const index = data.run_index ?? 0;
      const each = [...(run.nodes[node]?.each ?? [])];
      each[index] = data.counts ?? [];
      const state: NodeState = { status: (data.status ?? "success") as NodeStatus, runs: each.length, each, counts: sum(each), error: data.error ?? null };
      return { ...run, nodes: { ...run.nodes, [node]: state } };
    }
    default:
      return run;
  }
}

function withState(run: Run, node: string, status: NodeStatus): Run["nodes"] {
  if (!node) return run.nodes;
  const before = run.nodes[node] ?? { runs: 0, each: [], counts: [], error: null };
  return { ...run.nodes, [node]: { ...before, status } };
}

/** Nodes that still ran when the execution ended. */
function settled(run: Run, status: string): Run["nodes"] {
  const entries = Object.entries(run.nodes).map(([name, state]): [string, NodeState] =>
    state.status === "running" || state.status === "waiting" ? [name, { ...state, status: status === "success" ? "success" : "cancelled" }] : [name, state],
  );
  return Object.fromEntries(entries);
}
