import { describe, expect, it } from "vitest";
import type { Counts } from "../api/types";
import { barsOf, meanOf, startsOf } from "./counts";

const NOW = Date.parse("2026-03-10T15:20:00Z");
const HOUR = 3600;

describe("bars", () => {
  it("are hours of the last day, the running one last", () => {
    const starts = startsOf("day", NOW);
    expect(starts).toHaveLength(24);
    expect(starts.at(-1)).toBe(Math.floor(NOW / 1000 / HOUR) * HOUR);
    expect(new Set(starts.slice(1).map((start, index) => start - (starts[index] ?? 0)))).toEqual(new Set([HOUR]));
  });

  it("are days that begin at the reader's midnight", () => {
    for (const start of startsOf("week", NOW)) expect([new Date(start * 1000).getHours(), new Date(start * 1000).getMinutes()]).toEqual([0, 0]);
  });

  it("hold what was counted, and nothing where nothing began", () => {
    const [first = 0] = startsOf("day", NOW);
    const counts: Counts = { totals: {}, buckets: [{ start: new Date(first * 1000).toISOString(), counts: { success: 3, error: 1, waiting: 2, running: 1 } }], workflows: [] };
    const bars = barsOf(counts, "day", NOW);
    expect(bars[0]).toEqual({ start: first, success: 3, error: 1, other: 3 });
    expect(bars[1]).toMatchObject({ success: 0, error: 0, other: 0 });
  });
});

it("weighs the mean run time by what ended", () => {
  const workflows = [
    { workflow_id: "a", counts: { success: 3, waiting: 9 }, mean_ms: 100 },
    { workflow_id: "b", counts: { error: 1 }, mean_ms: 500 },
  ];
  expect(meanOf({ totals: {}, buckets: [], workflows })).toBe(200);
  expect(meanOf({ totals: {}, buckets: [], workflows: [] })).toBeNull();
});
