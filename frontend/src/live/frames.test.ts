import { describe, expect, it } from "vitest";
import type { Execution, Page } from "../api/types";
import { applyFrame, type Frame, statusAfter } from "./frames";

const page = (rows: Execution[]): Page<Execution> => ({ rows, total: rows.length, page: 1, pages: 1 });
const frame = (type: string, data: Frame["data"], timestamp = "2026-01-01T00:00:01Z"): Frame => ({
  type,
  data,
  timestamp,
});
const started = frame("execution.started", { execution_id: "e1", workflow_id: "w", mode: "webhook" }, "2026-01-01T00:00:00Z");

describe("statusAfter", () => {
  it("reads the status of a finished run from the frame", () => {
    expect(statusAfter(frame("execution.completed", { status: "error" }))).toBe("error");
    expect(statusAfter(frame("execution.waiting", {}))).toBe("waiting");
    expect(statusAfter(frame("node.completed", { status: "success" }))).toBeUndefined();
  });
});

describe("applyFrame", () => {
  it("puts a new execution on top and counts it", () => {
    const after = applyFrame(page([]), started);
    expect(after.rows.map((row) => [row.id, row.status])).toEqual([["e1", "running"]]);
    expect(after.total).toBe(1);
  });

  it("finishes a running one with its duration and error", () => {
    const running = applyFrame(page([]), started);
    const done = applyFrame(running, frame("execution.completed", { execution_id: "e1", status: "error", error: { message: "boom" } }));
    expect(done.rows[0]).toMatchObject({ status: "error", execution_time_ms: 1000, error: { message: "boom" } });
  });

  it("never takes an end back", () => {
    const done = applyFrame(applyFrame(page([]), started), frame("execution.completed", { execution_id: "e1", status: "success" }));
    expect(applyFrame(done, started)).toBe(done);
  });

  it("leaves later pages alone", () => {
    const second = { ...page([]), page: 2 };
    expect(applyFrame(second, started)).toBe(second);
  });
});
