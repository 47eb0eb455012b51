import type { ExecutionData } from "../api/types";
import { t } from "../i18n";
import { duration } from "../shell/format";

const MOST = 200;

/** When each node ran, from the start of the execution. */
export function Timeline({ data, onOpen }: { data: ExecutionData; onOpen: (node: string) => void }) {
  const runs = Object.values(data.node_data ?? {})
    .flat()
    .filter((run) => run.started_at)
    .map((run) => ({ run, from: Date.parse(run.started_at ?? ""), to: Date.parse(run.finished_at ?? run.started_at ?? "") }))
    .sort((left, right) => left.from - right.from)
    .slice(0, MOST);
  if (runs.length === 0) return null;
  const start = Math.min(...runs.map((each) => each.from));
  const whole = Math.max(1, Math.max(...runs.map((each) => each.to)) - start);
  return (
    <section className="timeline" aria-label={t("executions.timeline")}>
      <ol>
        {runs.map(({ run, from, to }) => (
          <li key={`${run.node} ${run.run_index}`}>
            <button className="quiet small" onClick={() => onOpen(run.node)}><span className="cut">{run.node}</span></button>
            <span className="track"><i className={run.status} style={{ left: `${((from - start) / whole) * 100}%`, width: `max(4px, ${((to - from) / whole) * 100}%)` }} /></span>
            <span className="soft">{duration(to - from)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
