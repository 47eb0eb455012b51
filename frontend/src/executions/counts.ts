import { useQuery } from "@tanstack/react-query";
import { api } from "../api/api";
import type { Counts } from "../api/types";

/** How far back, and how wide a bar is, in seconds. */
export const RANGES = { day: [24 * 3600, 3600], week: [7 * 86400, 86400], month: [30 * 86400, 86400] } as const;
export type Range = keyof typeof RANGES;

const MINUTE_MS = 60_000;

/** Seconds since the epoch at which the bars of a range begin, by the reader's clock; the last one holds `now`. */
export function startsOf(range: Range, now: number): number[] {
  const [span, step] = RANGES[range];
  const offset = -new Date(now).getTimezoneOffset() * 60;
  const last = Math.floor((now / 1000 + offset) / step) * step - offset;
  return Array.from({ length: span / step }, (_, index) => last - (span / step - 1 - index) * step);
}

/** Executions of a range, counted by the server; asked for again as time goes on. */
export function useCounts(range: Range, workflow = "") {
  return useQuery({
    queryKey: ["executions", "counts", range, workflow],
    queryFn: () => {
      const now = Date.now();
      const after = new Date((startsOf(range, now)[0] ?? 0) * 1000).toISOString();
      return api.counts({ after, step: RANGES[range][1], utc_offset: -new Date(now).getTimezoneOffset(), workflow_id: workflow });
    },
    refetchInterval: MINUTE_MS,
  });
}

export interface Bar {
  start: number;
  success: number;
  error: number;
  other: number;
}

/** One bar for each step, those without executions too. */
export function barsOf(counts: Counts, range: Range, now: number): Bar[] {
  const found = new Map(counts.buckets.map((bucket) => [Date.parse(bucket.start) / 1000, bucket.counts]));
  return startsOf(range, now).map((start) => {
    const { success = 0, error = 0, ...rest } = found.get(start) ?? {};
    return { start, success, error, other: Object.values(rest).reduce((sum, each) => sum + each, 0) };
  });
}

export const totalOf = (counts: Record<string, number>): number => Object.values(counts).reduce((sum, each) => sum + each, 0);

/** The mean run time of everything that was counted by workflow, milliseconds. */
export function meanOf(counts: Counts): number | null {
  let ended = 0;
  let spent = 0;
  for (const each of counts.workflows) {
    const number = (each.counts.success ?? 0) + (each.counts.error ?? 0) + (each.counts.cancelled ?? 0);
    ended += number;
    spent += number * each.mean_ms;
  }
  return ended > 0 ? spent / ended : null;
}
