import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy, Ellipsis, FileUp, Play, Plus, Search, Trash2, TriangleAlert, Workflow as WorkflowIcon } from "lucide-react";
import { type ChangeEvent, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { api } from "../api/api";
import type { Workflow } from "../api/types";
import { t } from "../i18n";
import { Pager } from "../shell/Pager";
import { ago, when } from "../shell/format";
import { Menu } from "../ui/Menu";
import { Empty, Failed, Loading } from "../ui/states";
import { say, sayError } from "../ui/toast";

/** Workflows: find, create, import, publish, run. */
export function Workflows() {
  const [page, setPage] = useState(1);
  const [search, setSearch] = useState("");
  const [active, setActive] = useState("");
  const navigate = useNavigate();
  const found = useQuery({
    queryKey: ["workflows", page, search, active],
    queryFn: () => api.workflows(page, search, 50, active),
    placeholderData: keepPreviousData,
  });
  const rows = found.data?.rows ?? [];
  const filtered = search !== "" || active !== "";
  const create = <button className="primary" onClick={() => void navigate("/workflows/new")}><Plus size={17} />{t("workflows.create")}</button>;
  return (
    <>
      <div className="head">
        <div className="title"><h1>{t("page.workflows")}</h1></div>
        <Import />
        {create}
      </div>
      <div className="tools">
        <div className="search">
          <Search size={16} />
          <input type="search" aria-label={t("workflows.search")} placeholder={t("workflows.search")} value={search} onChange={(event) => { setSearch(event.target.value); setPage(1); }} />
        </div>
        <select aria-label={t("workflows.state")} value={active} onChange={(event) => { setActive(event.target.value); setPage(1); }}>
          <option value="">{t("workflows.any")}</option>
          <option value="true">{t("workflows.published")}</option>
          <option value="false">{t("workflows.draft")}</option>
        </select>
      </div>
      <div className="card table">
        {found.isError ? <Failed error={found.error} onRetry={() => void found.refetch()} />
          : found.isPending ? <Loading />
          : rows.length > 0 ? <Rows rows={rows} />
          : filtered ? <Empty icon={<Search />} title={t("state.noMatch")}>{t("state.noMatchText")}</Empty>
          : <Empty icon={<WorkflowIcon />} title={t("workflows.none")} actions={create}>{t("workflows.noneText")}</Empty>}
      </div>
      <Pager page={page} pages={found.data?.pages ?? 1} onPage={setPage} />
    </>
  );
}

function Import() {
  const file = useRef<HTMLInputElement>(null);
  const queries = useQueryClient();
  const load = useMutation({
    mutationFn: async (given: File) => api.importWorkflow(JSON.parse(await given.text()) as unknown),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["workflows"] });
      say(t("workflows.imported"));
    },
    onError: sayError,
  });
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const given = event.target.files?.[0];
    if (given) load.mutate(given);
    event.target.value = "";
  };
  return (
    <>
      <input ref={file} type="file" accept=".json,application/json" hidden aria-label={t("workflows.file")} onChange={choose} />
      <button onClick={() => file.current?.click()} disabled={load.isPending}><FileUp size={16} />{t("workflows.import")}</button>
    </>
  );
}

function Rows({ rows }: { rows: Workflow[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th>{t("workflows.name")}</th>
          <th>{t("workflows.state")}</th>
          <th className="hide-small">{t("workflows.nodes")}</th>
          <th className="hide-small">{t("workflows.changed")}</th>
          <th><span className="sr">{t("action.actions")}</span></th>
        </tr>
      </thead>
      <tbody>{rows.map((workflow) => <Row key={workflow.id} workflow={workflow} />)}</tbody>
    </table>
  );
}

function Row({ workflow }: { workflow: Workflow }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const options = { onSettled: () => queries.invalidateQueries({ queryKey: ["workflows"] }), onError: sayError };
  const publish = useMutation({ mutationFn: () => (workflow.is_active ? api.deactivate(workflow.id) : api.activate(workflow.id)), ...options });
  const copy = useMutation({ mutationFn: () => api.duplicateWorkflow(workflow.id, t("workflows.copyOf", { name: workflow.name })), ...options });
  const run = useMutation({ mutationFn: () => api.execute(workflow.id), onSuccess: (made) => navigate(`/executions/${made.id}`), onError: sayError });
  const restore = useMutation({ mutationFn: () => api.restoreWorkflow(workflow.id), ...options });
  const remove = useMutation({
    mutationFn: () => api.deleteWorkflow(workflow.id),
    ...options,
    onSuccess: () => say(t("workflows.deleted", { name: workflow.name }), { action: { label: t("action.undo"), run: () => restore.mutate() } }),
  });
  return (
    <tr>
      <td className="name"><Link to={`/workflows/${workflow.id}`}>{workflow.name || t("workflows.unnamed")}</Link></td>
      <td>
        <span className="row">
          <span className={workflow.is_active ? "status success" : "status"}>{t(workflow.is_active ? "workflows.published" : "workflows.draft")}</span>
          {workflow.issues.length > 0 && (
            <span className="badge" title={workflow.issues.map((issue) => issue.message).join("\n")}>
              <TriangleAlert size={13} />{t("workflows.issues", { count: workflow.issues.length })}
            </span>
          )}
        </span>
      </td>
      <td className="soft hide-small">{workflow.node_count}</td>
      <td className="soft hide-small" title={when(workflow.updated_at)}>{ago(workflow.updated_at)}</td>
      <td className="tail">
        <button className="quiet small" disabled={run.isPending} onClick={() => run.mutate()}><Play size={15} />{t("action.run")}</button>
        <button className="quiet small hide-small" disabled={publish.isPending} onClick={() => publish.mutate()}>{t(workflow.is_active ? "workflows.unpublish" : "workflows.publish")}</button>
        <Menu
          trigger={<button className="icon small" aria-label={t("action.more")}><Ellipsis size={18} /></button>}
          entries={[
            { label: t("action.duplicate"), icon: <Copy size={16} />, onSelect: () => copy.mutate() },
            null,
            { label: t("action.delete"), icon: <Trash2 size={16} />, bad: true, onSelect: () => remove.mutate() },
          ]}
        />
      </td>
    </tr>
  );
}
