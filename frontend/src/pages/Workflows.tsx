import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useNavigate } from "react-router";
import { api } from "../api/client";
import type { Workflow } from "../api/types";
import { when } from "../shell/format";
import { Pager } from "../shell/Pager";

export function Workflows() {
  const [page, setPage] = useState(1);
  const [search, setSearch] = useState("");
  const queries = useQueryClient();
  const found = useQuery({
    queryKey: ["workflows", page, search],
    queryFn: () => api.workflows(page, search),
    placeholderData: keepPreviousData,
  });
  const refresh = () => queries.invalidateQueries({ queryKey: ["workflows"] });
  const load = useMutation({
    mutationFn: async (file: File) => api.importWorkflow(JSON.parse(await file.text())),
    onSuccess: refresh,
  });
  const rows = found.data?.rows ?? [];
  return (
    <>
      <div className="head">
        <h1>Workflows</h1>
        <input
          type="search"
          placeholder="Search"
          aria-label="Search workflows"
          value={search}
          onChange={(event) => {
            setSearch(event.target.value);
            setPage(1);
          }}
        />
        <ImportButton onFile={(file) => { load.mutate(file); }} />
      </div>
      {load.isError && <p className="notice" role="alert">{load.error.message}</p>}
      {found.isError && <p className="notice" role="alert">{found.error.message}</p>}
      <div className="card">
        {rows.length > 0 ? (
          <table>
            <thead>
              <tr>
                <th>Name</th>
                <th>Nodes</th>
                <th>Issues</th>
                <th>Changed</th>
                <th>Published</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {rows.map((workflow) => (
                <Row key={workflow.id} workflow={workflow} onChange={refresh} />
              ))}
            </tbody>
          </table>
        ) : (
          <div className="empty">
            <strong>{found.isPending ? "Looking…" : search ? "Nothing by that name" : "No workflows yet"}</strong>
            {!found.isPending && !search && <p className="soft">Import a workflow you exported from n8n: it runs here as it is.</p>}
          </div>
        )}
      </div>
      <Pager page={page} pages={found.data?.pages ?? 1} onPage={setPage} />
    </>
  );
}

function ImportButton({ onFile }: { onFile: (file: File) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="application/json,.json"
        hidden
        aria-label="Workflow file"
        onChange={(event) => {
          const file = event.target.files?.[0];
          if (file) onFile(file);
          event.target.value = "";
        }}
      />
      <button className="primary" onClick={() => input.current?.click()}>
        Import
      </button>
    </>
  );
}

function Row({ workflow, onChange }: { workflow: Workflow; onChange: () => Promise<void> }) {
  const navigate = useNavigate();
  const publish = useMutation({
    mutationFn: () => (workflow.is_active ? api.deactivate(workflow.id) : api.activate(workflow.id)),
    onSettled: onChange,
  });
  const run = useMutation({
    mutationFn: () => api.execute(workflow.id),
    onSuccess: () => navigate("/executions"),
  });
  const problem = publish.error ?? run.error;
  return (
    <tr>
      <td className="name">
        {workflow.name}
        {problem && <div className="notice" role="alert">{problem.message}</div>}
      </td>
      <td className="soft">{workflow.node_count}</td>
      <td className="soft" title={workflow.issues.map((issue) => issue.message).join("\n")}>
        {workflow.issues.length || "–"}
      </td>
      <td className="soft">{when(workflow.updated_at)}</td>
      <td>
        <span className={`status ${workflow.is_active ? "success" : "cancelled"}`}>{workflow.is_active ? "Published" : "Draft"}</span>
      </td>
      <td className="tail">
        <button className="quiet" disabled={publish.isPending} onClick={() => { publish.mutate(); }}>
          {workflow.is_active ? "Unpublish" : "Publish"}
        </button>
        <button disabled={run.isPending} onClick={() => { run.mutate(); }}>
          Run
        </button>
      </td>
    </tr>
  );
}
