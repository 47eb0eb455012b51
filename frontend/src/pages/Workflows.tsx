import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Archive, ArchiveRestore, Copy, Ellipsis, Play, Plus, Search, Tag, Trash2, TriangleAlert, Workflow as WorkflowIcon } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { api } from "../api/api";
import type { Workflow } from "../api/types";
import { t } from "../i18n";
import { Pager } from "../shell/Pager";
import { ago, when } from "../shell/format";
import { Menu } from "../ui/Menu";
import { Empty, Failed, Loading } from "../ui/states";
import { say, sayError } from "../ui/toast";
import { sayFailures, toggled } from "./bulk";
import { Import } from "./Import";
import { TagChoice } from "./TagChoice";

/** Workflows: find, create, import, publish, run. */
export function Workflows() {
  const [page, setPage] = useState(1);
  const [search, setSearch] = useState("");
  const [state, setState] = useState("");
  const [parameters, setParameters] = useSearchParams();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const tag = parameters.get("tag") ?? "";
  const setTag = (next: string) => {
    setPage(1);
    setParameters(next ? { tag: next } : {});
  };
  const archived = state === "archived";
  const filter = { tag, ...(archived ? { archived: "true" } : { active: state }) };
  const tags = useQuery({ queryKey: ["tags"], queryFn: api.tags });
  const navigate = useNavigate();
  const found = useQuery({
    queryKey: ["workflows", page, search, state, tag],
    queryFn: () => api.workflows(page, search, 50, filter),
    placeholderData: keepPreviousData,
  });
  const rows = found.data?.rows ?? [];
  const picked = rows.filter((row) => chosen.has(row.id));
  const filtered = search !== "" || state !== "" || tag !== "";
  const create = <button className="primary" onClick={() => void navigate("/workflows/new")}><Plus size={17} />{t("workflows.create")}</button>;
  return (
    <>
      <div className="head">
        <div className="title"><h1>{t("page.workflows")}</h1></div>
        <Link className="button quiet" to="/tags"><Tag size={16} />{t("page.tags")}</Link>
        <Import />
        {create}
      </div>
      <div className="tools">
        <div className="search">
          <Search size={16} />
          <input type="search" aria-label={t("workflows.search")} placeholder={t("workflows.search")} value={search} onChange={(event) => { setSearch(event.target.value); setPage(1); }} />
        </div>
        <select aria-label={t("workflows.state")} value={state} onChange={(event) => { setState(event.target.value); setPage(1); setChosen(new Set()); }}>
          <option value="">{t("workflows.any")}</option>
          <option value="true">{t("workflows.published")}</option>
          <option value="false">{t("workflows.draft")}</option>
          <option value="archived">{t("workflows.archived")}</option>
        </select>
        {(tags.data?.length ?? 0) > 0 && (
          <select aria-label={t("tags.filter")} value={tag} onChange={(event) => setTag(event.target.value)}>
            <option value="">{t("tags.any")}</option>
            {tags.data?.map((each) => <option key={each.name} value={each.name}>{each.name}</option>)}
          </select>
        )}
        <span className="grow" />
        {picked.length > 0 && <Bulk rows={picked} archived={archived} onDone={() => setChosen(new Set())} />}
      </div>
      <div className="card table">
        {found.isError ? <Failed error={found.error} onRetry={() => void found.refetch()} />
          : found.isPending ? <Loading />
          : rows.length > 0 ? <Rows rows={rows} chosen={chosen} onChoose={setChosen} onTag={setTag} />
          : filtered ? <Empty icon={<Search />} title={t("state.noMatch")}>{t("state.noMatchText")}</Empty>
          : <Empty icon={<WorkflowIcon />} title={t("workflows.none")} actions={create}>{t("workflows.noneText")}</Empty>}
      </div>
      <Pager page={page} pages={found.data?.pages ?? 1} onPage={setPage} />
    </>
  );
}

interface ChosenProps {
  rows: Workflow[];
  archived: boolean;
  onDone: () => void;
}

/** What is done with the chosen rows, each in one call. */
function Bulk({ rows, archived, onDone }: ChosenProps) {
  const queries = useQueryClient();
  const [tagging, setTagging] = useState(false);
  const ids = rows.map((row) => row.id);
  const settled = async () => {
    onDone();
    await queries.invalidateQueries({ queryKey: ["workflows"] });
  };
  const archive = useMutation({ mutationFn: () => api.archiveWorkflows(ids, !archived), onSuccess: sayFailures, onSettled: settled, onError: sayError });
  const restore = useMutation({ mutationFn: (gone: string[]) => api.restoreWorkflows(gone), onSuccess: sayFailures, onSettled: settled, onError: sayError });
  const remove = useMutation({
    mutationFn: () => api.deleteWorkflows(ids),
    onSuccess: (answer) => {
      if (sayFailures(answer)) say(t("bulk.deleted", { count: answer.done.length }), { action: { label: t("action.undo"), run: () => restore.mutate(answer.done) } });
    },
    onSettled: settled,
    onError: sayError,
  });
  return (
    <div className="row wrap" role="group" aria-label={t("executions.chosen", { count: rows.length })}>
      <span className="soft">{t("executions.chosen", { count: rows.length })}</span>
      <button onClick={() => setTagging(true)}><Tag size={16} />{t("page.tags")}</button>
      <button disabled={archive.isPending} onClick={() => archive.mutate()}>{archived ? <ArchiveRestore size={16} /> : <Archive size={16} />}{t(archived ? "workflows.unarchive" : "workflows.archive")}</button>
      <button disabled={remove.isPending} onClick={() => remove.mutate()}><Trash2 size={16} />{t("action.delete")}</button>
      {tagging && <TagChoice rows={rows} onClose={() => { setTagging(false); onDone(); }} />}
    </div>
  );
}

interface RowsProps {
  rows: Workflow[];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
  onTag: (tag: string) => void;
}

function Rows({ rows, chosen, onChoose, onTag }: RowsProps) {
  const all = rows.every((row) => chosen.has(row.id));
  return (
    <table>
      <thead>
        <tr>
          <th className="check"><input type="checkbox" aria-label={t("bulk.all")} checked={all} onChange={() => onChoose(all ? new Set() : new Set(rows.map((row) => row.id)))} /></th>
          <th>{t("workflows.name")}</th>
          <th>{t("workflows.state")}</th>
          <th className="hide-medium">{t("workflows.nodes")}</th>
          <th className="hide-small">{t("workflows.changed")}</th>
          <th><span className="sr">{t("action.actions")}</span></th>
        </tr>
      </thead>
      <tbody>{rows.map((workflow) => <Row key={workflow.id} workflow={workflow} chosen={chosen.has(workflow.id)} onToggle={() => onChoose(toggled(chosen, workflow.id))} onTag={onTag} />)}</tbody>
    </table>
  );
}

interface RowProps {
  workflow: Workflow;
  chosen: boolean;
  onToggle: () => void;
  onTag: (tag: string) => void;
}

function Row({ workflow, chosen, onToggle, onTag }: RowProps) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const options = { onSettled: () => queries.invalidateQueries({ queryKey: ["workflows"] }), onError: sayError };
  const publish = useMutation({ mutationFn: () => (workflow.is_active ? api.deactivate(workflow.id) : api.activate(workflow.id)), ...options });
  const copy = useMutation({ mutationFn: () => api.duplicateWorkflow(workflow.id, t("workflows.copyOf", { name: workflow.name })), ...options });
  const run = useMutation({ mutationFn: () => api.execute(workflow.id), onSuccess: (made) => navigate(`/executions/${made.id}`), onError: sayError });
  const restore = useMutation({ mutationFn: () => api.restoreWorkflow(workflow.id), ...options });
  const archive = useMutation({ mutationFn: () => api.archiveWorkflows([workflow.id], !workflow.is_archived), onSuccess: sayFailures, ...options });
  const remove = useMutation({
    mutationFn: () => api.deleteWorkflow(workflow.id),
    ...options,
    onSuccess: () => say(t("workflows.deleted", { name: workflow.name }), { action: { label: t("action.undo"), run: () => restore.mutate() } }),
  });
  return (
    <tr>
      <td className="check"><input type="checkbox" aria-label={t("bulk.choose", { name: workflow.name })} checked={chosen} onChange={onToggle} /></td>
      <td className="name">
        <Link to={`/workflows/${workflow.id}`}>{workflow.name || t("workflows.unnamed")}</Link>
        {workflow.tags.length > 0 && (
          <div className="choices">
            {workflow.tags.map((tag) => <button key={tag} className="badge" aria-label={t("tags.filterBy", { name: tag })} onClick={() => onTag(tag)}>{tag}</button>)}
          </div>
        )}
      </td>
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
      <td className="soft hide-medium">{workflow.node_count}</td>
      <td className="soft hide-small" title={when(workflow.updated_at)}>{ago(workflow.updated_at)}</td>
      <td className="tail">
        <button className="quiet small" disabled={run.isPending} onClick={() => run.mutate()}><Play size={15} />{t("action.run")}</button>
        {!workflow.is_archived && <button className="quiet small hide-small" disabled={publish.isPending} onClick={() => publish.mutate()}>{t(workflow.is_active ? "workflows.unpublish" : "workflows.publish")}</button>}
        <Menu
          trigger={<button className="icon small" aria-label={t("action.more")}><Ellipsis size={18} /></button>}
          entries={[
            { label: t("action.duplicate"), icon: <Copy size={16} />, onSelect: () => copy.mutate() },
            { label: t(workflow.is_archived ? "workflows.unarchive" : "workflows.archive"), icon: workflow.is_archived ? <ArchiveRestore size={16} /> : <Archive size={16} />, onSelect: () => archive.mutate() },
            null,
            { label: t("action.delete"), icon: <Trash2 size={16} />, bad: true, onSelect: () => remove.mutate() },
          ]}
        />
      </td>
    </tr>
  );
}
