import { language } from "../i18n";

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["second", 60],
  ["minute", 60],
  ["hour", 24],
  ["day", 7],
];

/** A time in the reader's own zone and language. */
export const when = (iso: string | null): string =>
  iso ? new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "medium" }).format(new Date(iso)) : "–";

/** How long ago or ahead, as people say it; the date where it is more than a week. */
export function ago(iso: string | null, now: number = Date.now()): string {
  if (!iso) return "–";
  let span = (Date.parse(iso) - now) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(span) < size) return new Intl.RelativeTimeFormat(language(), { numeric: "auto" }).format(Math.round(span), unit);
    span /= size;
  }
  return new Intl.DateTimeFormat(language(), { dateStyle: "medium" }).format(new Date(iso));
}

/** Milliseconds as people say them. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60 ? `${minutes} min ${Math.round((ms % 60_000) / 1000)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A size as people say it, in powers of 1024. */
export function bytes(size: number): string {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, size)) / 10));
  const unit = (["byte", "kilobyte", "megabyte", "gigabyte"] as const)[power] ?? "byte";
  return new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(size / 1024 ** power);
}
