import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api } from "../api/client";
import type { Execution, Page } from "../api/types";
import { applyFrame } from "../live/frames";
import { listen } from "../live/socket";
import { duration, when } from "../shell/format";
import { Pager } from "../shell/Pager";

const STATUSES = ["", "queued", "running", "waiting", "success", "error", "cancelled"];

/** Executions, newest first; rows change as events come over the WebSocket. */
export function Executions({ projects }: { projects: string[] }) {
  const [page, setPage] = useState(1);
  const [status, setStatus] = useState("");
  const queries = useQueryClient();
  const found = useQuery({
    queryKey: ["executions", page, status],
    queryFn: () => api.executions(page, status),
    placeholderData: keepPreviousData,
  });
  const names = useQuery({ queryKey: ["workflows", 1, ""], queryFn: () => api.workflows(1, "") });
  const nameOf = new Map(names.data?.rows.map((workflow) => [workflow.id, workflow.name]));

  const key = projects.join();
  useEffect(() => {
    if (status) return; // a filtered list can't tell from a frame whether the row still belongs
    return listen(
      key.split(","),
      (frame) => {
        queries.setQueryData<Page<Execution>>(["executions", page, ""], (rows) => rows && applyFrame(rows, frame));
      },
      () => void queries.invalidateQueries({ queryKey: ["executions"] }),
    );
  }, [key, page, status, queries]);

  const rows = found.data?.rows ?? [];
  return (
    <>
      <div className="head">
        <h1>Executions</h1>
        <select
          aria-label="Status"
          value={status}
          onChange={(event) => {
            setStatus(event.target.value);
            setPage(1);
          }}
        >
          {STATUSES.map((name) => (
            <option key={name} value={name}>
              {name || "Every status"}
            </option>
          ))}
        </select>
      </div>
      {found.isError && <p className="notice" role="alert">{found.error.message}</p>}
      <div className="card">
        {rows.length > 0 ? (
          <table>
            <thead>
              <tr>
                <th>Status</th>
                <th>Workflow</th>
                <th>Started by</th>
                <th>Started</th>
                <th>Took</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {rows.map((execution) => (
                <Row key={execution.id} execution={execution} name={nameOf.get(execution.workflow_id) ?? "–"} />
              ))}
            </tbody>
          </table>
        ) : (
          <div className="empty">
            <strong>{found.isPending ? "Looking…" : "Nothing has run yet"}</strong>
            {!found.isPending && (
              <p className="soft">
                Try <code>curl &quot;{location.origin}/webhook/welcome?name=Ada&quot;</code> and watch this page.
              </p>
            )}
          </div>
        )}
      </div>
      <Pager page={page} pages={found.data?.pages ?? 1} onPage={setPage} />
    </>
  );
}

function Row({ execution, name }: { execution: Execution; name: string }) {
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ["executions"] });
  const stop = useMutation({ mutationFn: () => api.stop(execution.id), onSettled: refresh });
  const retry = useMutation({ mutationFn: () => api.retry(execution.id), onSettled: refresh });
  const open = ["queued", "running", "waiting"].includes(execution.status);
  return (
    <tr>
      <td>
        <span className={`status ${execution.status}`}>{execution.status}</span>
        {execution.error && <div className="soft">{execution.error.message}</div>}
      </td>
      <td className="name">{name}</td>
      <td className="soft">{execution.mode}</td>
      <td className="soft">{when(execution.started_at ?? execution.created_at)}</td>
      <td className="soft">{execution.finished_at ? duration(execution.execution_time_ms) : "–"}</td>
      <td className="tail">
        {open && (
          <button className="quiet" disabled={stop.isPending} onClick={() => { stop.mutate(); }}>
            Stop
          </button>
        )}
        {execution.status === "error" && (
          <button className="quiet" disabled={retry.isPending} onClick={() => { retry.mutate(); }}>
            Retry
          </button>
        )}
      </td>
    </tr>
  );
}
