import { useQuery } from "@tanstack/react-query";
import { ArrowRight, CalendarClock, CircleCheck, Plus, Workflow as WorkflowIcon } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { api } from "../api/api";
import type { Counts, Execution, Me, Tick } from "../api/types";
import { meanOf, type Range, totalOf, useCounts } from "../executions/counts";
import { RangeChoice, StatusChart } from "../executions/StatusChart";
import { language, t } from "../i18n";
import { ago, duration, when } from "../shell/format";
import { Empty, Failed, Loading, Status } from "../ui/states";

const LATEST = 8;
const FAILED = 5;

/** What happened lately: figures, runs by hour, failures, what comes next. */
export function Overview({ me }: { me: Me }) {
  const navigate = useNavigate();
  const workflows = useQuery({ queryKey: ["workflows", "all"], queryFn: () => api.workflows(1, "", 250) });
  const [range, setRange] = useState<Range>("day");
  const runs = useQuery({ queryKey: ["executions", "latest"], queryFn: () => api.executions(1, {}, LATEST) });
  const failures = useQuery({ queryKey: ["executions", "failed"], queryFn: () => api.executions(1, { status: "error" }, FAILED) });
  const counts = useCounts(range);
  const ticks = useQuery({ queryKey: ["schedules"], queryFn: api.schedules });
  // all cards at once, so that none pushes another away; what fails is said in its card
  const [shown, setShown] = useState(false);
  if (!shown && [runs, failures, counts, ticks].every((each) => !each.isPending || each.failureCount > 0)) setShown(true);
  const rows = runs.data?.rows ?? [];
  const failed = failures.data?.rows ?? [];
  const mean = counts.data ? meanOf(counts.data) : null;
  const nameOf = new Map(workflows.data?.rows.map((each) => [each.id, each.name]));
  const number = new Intl.NumberFormat(language());
  return (
    <>
      <div className="head">
        <div className="title">
          <h1>{me.first_name ? t("overview.hello", { name: me.first_name }) : t("page.overview")}</h1>
          <p>{t("overview.text")}</p>
        </div>
        <button className="primary" onClick={() => void navigate("/workflows/new")}><Plus size={17} />{t("workflows.create")}</button>
      </div>
      <div className="figures">
        <Figure label={t(`overview.runs.${range}`)} value={counts.data ? number.format(totalOf(counts.data.totals)) : "…"} />
        <Figure label={t("overview.failures")} value={counts.data ? number.format(counts.data.totals.error ?? 0) : "…"} bad={(counts.data?.totals.error ?? 0) > 0} />
        <Figure label={t("overview.mean")} value={mean === null ? "–" : duration(Math.round(mean))} />
        <Figure label={t("overview.published")} value={number.format(workflows.data?.rows.filter((each) => each.is_active).length ?? 0)} />
      </div>
      {!shown ? <Loading /> : <div className="columns">
        <div className="stack">
          <section className="card">
            <header><h2>{t("overview.overTime")}</h2><RangeChoice range={range} onChange={setRange} /></header>
            <StatusChart range={range} />
          </section>
          <section className="card">
            <header>
              <h2>{t("overview.latest")}</h2>
              <Link className="button quiet small" to="/executions">{t("overview.all")}<ArrowRight size={15} /></Link>
            </header>
            {runs.isError ? <Failed error={runs.error} onRetry={() => void runs.refetch()} /> : runs.isPending ? <Loading /> : <Latest rows={rows} nameOf={nameOf} />}
          </section>
        </div>
        <div className="stack">
          <section className="card">
            <header><h2>{t("overview.failed")}</h2></header>
            {failures.isError ? <Failed error={failures.error} onRetry={() => void failures.refetch()} /> : failures.isPending ? <Loading lines={3} /> : failed.length > 0 ? (
              <ul className="list">
                {failed.map((run) => (
                  <li key={run.id}>
                    <div className="grow">
                      <Link to={`/executions/${run.id}`}>{nameOf.get(run.workflow_id) ?? "–"}</Link>
                      <div className="soft cut" title={run.error?.message}>{run.error?.message}</div>
                    </div>
                    <span className="soft">{ago(run.created_at)}</span>
                  </li>
                ))}
              </ul>
            ) : (
              <Empty icon={<CircleCheck />} title={t("overview.allWell")}>{t("overview.allWellText")}</Empty>
            )}
          </section>
          <Busiest counts={counts.data} nameOf={nameOf} />
          <Next ticks={ticks.data ?? []} nameOf={nameOf} />
        </div>
      </div>}
    </>
  );
}

function Figure({ label, value, bad }: { label: string; value: string; bad?: boolean }) {
  return (
    <div className={bad ? "card figure bad" : "card figure"}>
      <span className="soft">{label}</span>
      <b>{value}</b>
    </div>
  );
}

function Busiest({ counts, nameOf }: { counts: Counts | undefined; nameOf: Map<string, string> }) {
  const number = new Intl.NumberFormat(language());
  if (!counts?.workflows.length) return null;
  return (
    <section className="card">
      <header><h2>{t("overview.busiest")}</h2></header>
      <ul className="list">
        {counts.workflows.slice(0, 5).map((each) => {
          const failures = each.counts.error ?? 0;
          return (
            <li key={each.workflow_id}>
              <Link className="grow cut" to={`/executions?workflow=${each.workflow_id}`}>{nameOf.get(each.workflow_id) ?? "–"}</Link>
              {failures > 0 && <span className="status error">{number.format(failures)}</span>}
              <span className="soft hide-small">{duration(each.mean_ms)}</span>
              <span className="soft">{t("overview.times", { count: totalOf(each.counts), number: number.format(totalOf(each.counts)) })}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Latest({ rows, nameOf }: { rows: Execution[]; nameOf: Map<string, string> }) {
  if (rows.length === 0) {
    return <Empty icon={<WorkflowIcon />} title={t("executions.none")}>{t("executions.noneText")}</Empty>;
  }
  return (
    <ul className="list">
      {rows.map((run) => (
        <li key={run.id}>
          <Status value={run.status} />
          <Link className="grow cut" to={`/executions/${run.id}`}>{nameOf.get(run.workflow_id) ?? "–"}</Link>
          <span className="soft hide-small">{duration(run.execution_time_ms)}</span>
          <span className="soft" title={when(run.created_at)}>{ago(run.created_at)}</span>
        </li>
      ))}
    </ul>
  );
}

function Next({ ticks, nameOf }: { ticks: Tick[]; nameOf: Map<string, string> }) {
  return (
    <section className="card">
      <header><h2>{t("overview.next")}</h2></header>
      {ticks.length > 0 ? (
        <ul className="list">
          {ticks.map((tick) => {
            const at = tick.at ?? tick.next_at ?? null;
            return (
              <li key={`${tick.workflow_id}${tick.node}${at ?? ""}`}>
                <Link className="grow cut" to={`/workflows/${tick.workflow_id}`}>{nameOf.get(tick.workflow_id) ?? "–"}</Link>
                <span className="soft" title={when(at)}>{ago(at)}</span>
              </li>
            );
          })}
        </ul>
      ) : (
        <Empty icon={<CalendarClock />} title={t("overview.noNext")}>{t("overview.noNextText")}</Empty>
      )}
    </section>
  );
}
