import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleStop, ListChecks, RotateCcw, Search, Trash2 } from "lucide-react";
import { useEffect, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { api } from "../api/api";
import type { Execution, Page } from "../api/types";
import { named, t } from "../i18n";
import { applyFrame } from "../live/frames";
import { listen } from "../live/socket";
import { sayFailures, toggled } from "../pages/bulk";
import { ago, duration, when } from "../shell/format";
import { Pager } from "../shell/Pager";
import { Confirm } from "../ui/Dialog";
import { Empty, Failed, Loading, Status } from "../ui/states";
import { sayError } from "../ui/toast";
import { CustomData, DataFilter } from "./CustomData";
import type { Range } from "./counts";
import { RangeChoice, StatusChart } from "./StatusChart";

const STATUSES = ["running", "success", "error", "waiting", "queued", "cancelled"] as const;
const MODES = ["manual", "webhook", "schedule", "trigger", "sub_workflow", "error_workflow", "retry", "test"];
/** Runs that end one after the other are asked for together. */
const REFETCH_MS = 1_000;
const FINAL = new Set<string>(["success", "error", "cancelled"]);

/** Executions, newest first; rows change as events come over the WebSocket. */
export function Executions({ projects }: { projects: string[] }) {
  const [page, setPage] = useState(1);
  const [range, setRange] = useState<Range>("day");
  const [parameters, setParameters] = useSearchParams();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const queries = useQueryClient();
  const filter = { status: parameters.get("status") ?? "", mode: parameters.get("mode") ?? "", workflow_id: parameters.get("workflow") ?? "", custom_data: parameters.getAll("data") };
  const filtered = Object.values(filter).some((each) => each.length > 0);
  const key = ["executions", page, filter];
  const keyText = JSON.stringify(key);
  const found = useQuery({ queryKey: key, queryFn: () => api.executions(page, filter), placeholderData: keepPreviousData });
  const workflows = useQuery({ queryKey: ["workflows", "all"], queryFn: () => api.workflows(1, "", 250) });
  const nameOf = new Map(workflows.data?.rows.map((workflow) => [workflow.id, workflow.name]));
  const set = (name: string, ...values: string[]) => {
    setPage(1);
    setParameters((before) => {
      before.delete(name);
      for (const value of values) if (value) before.append(name, value);
      return before;
    });
  };

  const topics = projects.join();
  useEffect(() => {
    const refetch = () => void queries.invalidateQueries({ queryKey: ["executions"] });
    let soon: ReturnType<typeof setTimeout> | undefined;
    const refetchSoon = () => {
      soon ??= setTimeout(() => {
        soon = undefined;
        refetch();
      }, REFETCH_MS);
    };
    const end = listen(
      topics.split(",").map((project_id) => ({ project_id })),
      (frame) => {
        if (!filtered) queries.setQueryData<Page<Execution>>(JSON.parse(keyText) as unknown[], (rows) => rows && applyFrame(rows, frame));
        // no frame says what an execution has kept, nor whether it belongs into a filtered list
        if (frame.type === "execution.completed" || (filtered && frame.type === "execution.started")) refetchSoon();
      },
      refetch,
    );
    return () => {
      clearTimeout(soon);
      end();
    };
  }, [topics, keyText, filtered, queries]);

  const rows = found.data?.rows ?? [];
  return (
    <>
      <div className="head"><div className="title"><h1>{t("page.executions")}</h1></div><RangeChoice range={range} onChange={setRange} /></div>
      <section className="card over" aria-label={t("overview.overTime")}><StatusChart range={range} workflow={filter.workflow_id} /></section>
      <div className="tools">
        <Choice label={t("executions.status")} any={t("executions.anyStatus")} value={filter.status} options={STATUSES.map((each) => [each, t(`status.${each}`)])} onChange={(value) => set("status", value)} />
        <Choice label={t("executions.workflow")} any={t("executions.anyWorkflow")} value={filter.workflow_id} options={(workflows.data?.rows ?? []).map((each) => [each.id, each.name])} onChange={(value) => set("workflow", value)} />
        <Choice label={t("executions.mode")} any={t("executions.anyMode")} value={filter.mode} options={MODES.map((each) => [each, named(`mode.${each}`, each)])} onChange={(value) => set("mode", value)} />
        <DataFilter wanted={filter.custom_data} onChange={(wanted) => set("data", ...wanted)} />
        <span className="grow" />
        {chosen.size > 0 && <Bulk rows={rows.filter((row) => chosen.has(row.id))} onDone={() => setChosen(new Set())} />}
      </div>
      <div className="card table">
        {found.isError ? <Failed error={found.error} onRetry={() => void found.refetch()} />
          : found.isPending ? <Loading />
          : rows.length > 0 ? <Rows rows={rows} nameOf={nameOf} chosen={chosen} onChoose={setChosen} />
          : filtered ? <Empty icon={<Search />} title={t("state.noMatch")}>{t("state.noMatchText")}</Empty>
          : <Empty icon={<ListChecks />} title={t("executions.none")}>{t("executions.noneText")}</Empty>}
      </div>
      <Pager page={page} pages={found.data?.pages ?? 1} onPage={setPage} />
    </>
  );
}

interface ChoiceProps {
  label: string;
  any: string;
  value: string;
  options: (readonly [string, string])[];
  onChange: (value: string) => void;
}

function Choice({ label, any, value, options, onChange }: ChoiceProps) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value)}>
      <option value="">{any}</option>
      {options.map(([id, name]) => <option key={id} value={id}>{name}</option>)}
    </select>
  );
}

/** Stops what runs and deletes what has ended, of the chosen rows. */
function Bulk({ rows, onDone }: { rows: Execution[]; onDone: () => void }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const ended = rows.filter((row) => FINAL.has(row.status));
  const going = rows.filter((row) => !FINAL.has(row.status));
  const options = {
    onSettled: async () => {
      onDone();
      await queries.invalidateQueries({ queryKey: ["executions"] });
    },
    onSuccess: sayFailures,
    onError: sayError,
  };
  const failed = ended.filter((row) => row.status !== "success");
  const idsOf = (some: Execution[]) => some.map((row) => row.id);
  const stop = useMutation({ mutationFn: () => api.stopExecutions(idsOf(going)), ...options });
  const retry = useMutation({ mutationFn: () => api.retryExecutions(idsOf(failed)), ...options });
  const remove = useMutation({ mutationFn: () => api.deleteExecutions(idsOf(ended)), ...options });
  return (
    <>
      <span className="soft">{t("executions.chosen", { count: rows.length })}</span>
      {going.length > 0 && <button disabled={stop.isPending} onClick={() => stop.mutate()}><CircleStop size={16} />{t("action.stop")}</button>}
      {failed.length > 0 && <button disabled={retry.isPending} onClick={() => retry.mutate()}><RotateCcw size={16} />{t("action.retry")}</button>}
      {ended.length > 0 && <button disabled={remove.isPending} onClick={() => setAsking(true)}><Trash2 size={16} />{t("action.delete")}</button>}
      {asking && <Confirm title={t("executions.delete", { count: ended.length })} text={t("executions.deleteText")} action={t("action.delete")} onConfirm={() => remove.mutate()} onClose={() => setAsking(false)} />}
    </>
  );
}

interface RowsProps {
  rows: Execution[];
  nameOf: Map<string, string>;
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

function Rows({ rows, nameOf, chosen, onChoose }: RowsProps) {
  const all = rows.every((row) => chosen.has(row.id));
  return (
    <table>
      <thead>
        <tr>
          <th className="check"><input type="checkbox" aria-label={t("executions.all")} checked={all} onChange={() => onChoose(all ? new Set() : new Set(rows.map((row) => row.id)))} /></th>
          <th>{t("executions.status")}</th>
          <th>{t("executions.workflow")}</th>
          <th className="hide-medium">{t("executions.mode")}</th>
          <th>{t("executions.started")}</th>
          <th className="hide-small">{t("executions.took")}</th>
          <th><span className="sr">{t("action.actions")}</span></th>
        </tr>
      </thead>
      <tbody>{rows.map((row) => <Row key={row.id} row={row} name={nameOf.get(row.workflow_id) ?? "–"} chosen={chosen.has(row.id)} onToggle={() => onChoose(toggled(chosen, row.id))} />)}</tbody>
    </table>
  );
}

function Row({ row, name, chosen, onToggle }: { row: Execution; name: string; chosen: boolean; onToggle: () => void }) {
  const queries = useQueryClient();
  const options = { onSettled: () => queries.invalidateQueries({ queryKey: ["executions"] }), onError: sayError };
  const stop = useMutation({ mutationFn: () => api.stop(row.id), ...options });
  const retry = useMutation({ mutationFn: () => api.retry(row.id), ...options });
  return (
    <tr>
      <td className="check"><input type="checkbox" aria-label={t("executions.choose", { name })} checked={chosen} onChange={onToggle} /></td>
      <td><Status value={row.status} /></td>
      <td className="name">
        <Link to={`/executions/${row.id}`}>{name}</Link>
        {row.error && <small className="cut" title={row.error.message}>{row.error.message}</small>}
        <CustomData data={row.custom_data} />
      </td>
      <td className="soft hide-medium">{named(`mode.${row.mode}`, row.mode)}</td>
      <td className="soft" title={when(row.created_at)}>{ago(row.created_at)}</td>
      <td className="soft hide-small">{row.finished_at ? duration(row.execution_time_ms) : "–"}</td>
      <td className="tail">
        {!FINAL.has(row.status) && <button className="quiet small" disabled={stop.isPending} onClick={() => stop.mutate()}><CircleStop size={15} />{t("action.stop")}</button>}
        {(row.status === "error" || row.status === "cancelled") && <button className="quiet small" disabled={retry.isPending} onClick={() => retry.mutate()}><RotateCcw size={15} />{t("action.retry")}</button>}
      </td>
    </tr>
  );
}
