import type { Execution, ExecutionStatus, NodeError, Page } from "../api/types";

/** Someone who has a workflow open: one per connection. `node`: the id of the node that is chosen there. */
export interface Person {
  session: string;
  user_id: string;
  name: string;
  node: string;
}

/** One frame of the WebSocket. `seq` is the execution's own sequence; frames of one execution come in its order. */
export interface Frame {
  type: string;
  seq?: number;
  timestamp: string;
  data: {
    execution_id?: string;
    workflow_id?: string;
    project_id?: string;
    status?: ExecutionStatus;
    mode?: string;
    node?: string;
    run_index?: number;
    counts?: number[];
    error?: NodeError | null;
    /** Of `ready`: this connection, as `people` name it. */
    session?: string;
    /** Of `presence.changed`. */
    people?: Person[];
  };
}

const STATUS: Record<string, ExecutionStatus> = {
  "execution.started": "running",
  "execution.waiting": "waiting",
};

/** The status an execution has after the frame, or undefined where the frame says nothing about it. */
export function statusAfter(frame: Frame): ExecutionStatus | undefined {
  return frame.type === "execution.completed" ? frame.data.status : STATUS[frame.type];
}

/** Applies a frame to a page of executions, newest first. The same page where nothing changed. */
export function applyFrame(page: Page<Execution>, frame: Frame, limit = 50): Page<Execution> {
  const status = statusAfter(frame);
  const id = frame.data.execution_id;
  if (!status || !id) return page;
  const known = page.rows.findIndex((row) => row.id === id);
  if (known < 0) {
    if (page.page !== 1) return page;
    const row: Execution = {
      id,
      workflow_id: frame.data.workflow_id ?? "",
      version_id: "",
      status,
      mode: frame.data.mode ?? "",
      created_at: frame.timestamp,
      started_at: frame.timestamp,
      finished_at: status === frame.data.status ? frame.timestamp : null,
      execution_time_ms: 0,
      last_node: "",
      error: frame.data.error ?? null,
      custom_data: {},
    };
    return { ...page, rows: [row, ...page.rows].slice(0, limit), total: page.total + 1 };
  }
  const before = page.rows[known];
  if (!before || FINAL.has(before.status)) return page;
  const finished = FINAL.has(status) ? frame.timestamp : null;
  const started = before.started_at ?? frame.timestamp;
  const after: Execution = {
    ...before,
    status,
    started_at: started,
    finished_at: finished,
    execution_time_ms: finished ? Math.max(0, Date.parse(finished) - Date.parse(started)) : 0,
    error: frame.data.error ?? before.error,
  };
  return { ...page, rows: page.rows.with(known, after) };
}

const FINAL: ReadonlySet<ExecutionStatus> = new Set(["success", "error", "cancelled"]);
