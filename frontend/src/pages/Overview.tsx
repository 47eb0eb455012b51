import { useQuery } from "@tanstack/react-query";
import { ArrowRight, CalendarClock, CircleCheck, Plus, Workflow as WorkflowIcon } from "lucide-react";
import { Link, useNavigate } from "react-router";
import { api } from "../api/api";
import type { Execution, Me } from "../api/types";
import { language, t } from "../i18n";
import { ago, duration, when } from "../shell/format";
import { Empty, Failed, Loading, Status } from "../ui/states";

const RECENT = 250;
const HOURS = 24;
const HOUR_MS = 3_600_000;

/** What happened lately: figures, runs by hour, failures, what comes next. */
export function Overview({ me }: { me: Me }) {
  const navigate = useNavigate();
  const workflows = useQuery({ queryKey: ["workflows", "all"], queryFn: () => api.workflows(1, "", 250) });
  const runs = useQuery({ queryKey: ["executions", "recent"], queryFn: () => api.executions(1, {}, RECENT) });
  const rows = runs.data?.rows ?? [];
  const day = rows.filter((run) => run.created_at && Date.parse(run.created_at) > runs.dataUpdatedAt - HOURS * HOUR_MS);
  const failed = day.filter((run) => run.status === "error");
  const done = day.filter((run) => run.status === "success");
  const times = done.map((run) => run.execution_time_ms).sort((left, right) => left - right);
  const nameOf = new Map(workflows.data?.rows.map((each) => [each.id, each.name]));
  const number = new Intl.NumberFormat(language());
  if (runs.isError) return <Failed error={runs.error} onRetry={() => void runs.refetch()} />;
  return (
    <>
      <div className="head">
        <div className="title">
          <h1>{t("overview.hello", { name: me.first_name || me.email })}</h1>
          <p>{t("overview.text")}</p>
        </div>
        <button className="primary" onClick={() => void navigate("/workflows/new")}><Plus size={17} />{t("workflows.create")}</button>
      </div>
      <div className="figures">
        <Figure label={t("overview.runs")} value={number.format(day.length) + (day.length === RECENT ? "+" : "")} />
        <Figure label={t("overview.failures")} value={number.format(failed.length)} bad={failed.length > 0} />
        <Figure label={t("overview.median")} value={times.length ? duration(times[Math.floor(times.length / 2)] ?? 0) : "–"} />
        <Figure label={t("overview.published")} value={number.format(workflows.data?.rows.filter((each) => each.is_active).length ?? 0)} />
      </div>
      <div className="columns">
        <div className="stack">
          <section className="card">
            <header><h2>{t("overview.byHour")}</h2></header>
            <Chart runs={day} now={runs.dataUpdatedAt} />
          </section>
          <section className="card">
            <header>
              <h2>{t("overview.latest")}</h2>
              <Link className="button quiet small" to="/executions">{t("overview.all")}<ArrowRight size={15} /></Link>
            </header>
            {runs.isPending ? <Loading /> : <Latest rows={rows.slice(0, 8)} nameOf={nameOf} />}
          </section>
        </div>
        <div className="stack">
          <section className="card">
            <header><h2>{t("overview.failed")}</h2></header>
            {failed.length > 0 ? (
              <ul className="list">
                {failed.slice(0, 5).map((run) => (
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
          <Next nameOf={nameOf} />
        </div>
      </div>
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

function Chart({ runs, now }: { runs: Execution[]; now: number }) {
  const hours = Array.from({ length: HOURS }, () => ({ good: 0, bad: 0 }));
  for (const run of runs) {
    const bucket = hours[HOURS - 1 - Math.floor((now - Date.parse(run.created_at ?? "")) / HOUR_MS)];
    if (bucket) bucket[run.status === "error" ? "bad" : "good"]++;
  }
  const most = Math.max(1, ...hours.map((hour) => hour.good + hour.bad));
  return (
    <>
      <div className="bars" role="img" aria-label={t("overview.chart", { runs: runs.length })}>
        {hours.map(({ good, bad }, index) => (
          <span key={index}>
            {bad > 0 && <i className="bad" style={{ height: `${(bad / most) * 100}%` }} />}
            {good > 0 && <i style={{ height: `${(good / most) * 100}%` }} />}
            {good + bad === 0 && <i className="none" />}
          </span>
        ))}
      </div>
      <div className="axis"><span>{t("overview.dayAgo")}</span><span>{t("overview.now")}</span></div>
    </>
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

function Next({ nameOf }: { nameOf: Map<string, string> }) {
  const ticks = useQuery({ queryKey: ["schedules"], queryFn: api.schedules });
  return (
    <section className="card">
      <header><h2>{t("overview.next")}</h2></header>
      {ticks.data && ticks.data.length > 0 ? (
        <ul className="list">
          {ticks.data.map((tick) => {
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
