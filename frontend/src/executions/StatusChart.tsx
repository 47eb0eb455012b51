import { language, t } from "../i18n";
import type { Counts } from "../api/types";
import { Failed, Loading } from "../ui/states";
import { barsOf, type Range, RANGES, useCounts } from "./counts";

/** Executions over time, by what became of them. */
export function StatusChart({ range, workflow = "" }: { range: Range; workflow?: string }) {
  const found = useCounts(range, workflow);
  if (found.isError) return <Failed error={found.error} onRetry={() => void found.refetch()} />;
  if (found.isPending) return <Loading lines={3} />;
  return <Bars counts={found.data} range={range} now={found.dataUpdatedAt} />;
}

function Bars({ counts, range, now }: { counts: Counts; range: Range; now: number }) {
  const bars = barsOf(counts, range, now);
  const number = new Intl.NumberFormat(language());
  const most = Math.max(1, ...bars.map((bar) => bar.success + bar.error + bar.other));
  const hours = RANGES[range][1] < 86400;
  const time = new Intl.DateTimeFormat(language(), hours ? { weekday: "short", hour: "2-digit", minute: "2-digit" } : { weekday: "short", day: "numeric", month: "short" });
  const label = (start: number) => time.format(new Date(start * 1000));
  const says = (kind: "success" | "error" | "other", count: number) => t(`chart.${kind}`, { count, number: number.format(count) });
  const sums = (["success", "error", "other"] as const).map((kind) => [kind, bars.reduce((sum, bar) => sum + bar[kind], 0)] as const);
  return (
    <figure className="chart">
      <div className="bars" role="img" aria-label={t("chart.label", { text: sums.map(([kind, count]) => says(kind, count)).join(", ") })}>
        {bars.map((bar) => (
          <span key={bar.start} title={`${label(bar.start)}: ${(["success", "error", "other"] as const).filter((kind) => bar[kind] > 0).map((kind) => says(kind, bar[kind])).join(", ") || t("chart.none")}`}>
            {bar.error > 0 && <i className="bad" style={{ height: `${(bar.error / most) * 100}%` }} />}
            {bar.other > 0 && <i className="other" style={{ height: `${(bar.other / most) * 100}%` }} />}
            {bar.success > 0 && <i style={{ height: `${(bar.success / most) * 100}%` }} />}
            {bar.success + bar.error + bar.other === 0 && <i className="none" />}
          </span>
        ))}
      </div>
      <figcaption className="axis">
        <span>{label(bars[0]?.start ?? 0)}</span>
        <span className="legend">{sums.map(([kind, count]) => <span key={kind} className={kind}>{says(kind, count)}</span>)}</span>
        <span>{t("overview.now")}</span>
      </figcaption>
    </figure>
  );
}

export function RangeChoice({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  return (
    <span className="segments" role="group" aria-label={t("chart.range")}>
      {(Object.keys(RANGES) as Range[]).map((each) => <button key={each} type="button" aria-pressed={each === range} onClick={() => onChange(each)}>{t(`chart.${each}`)}</button>)}
    </span>
  );
}
