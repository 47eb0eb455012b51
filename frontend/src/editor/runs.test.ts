import { expect, it } from "vitest";
import type { Frame } from "../live/frames";
import { begun, follow } from "./runs";

const frame = (type: string, data: Frame["data"] = {}): Frame => ({ type, timestamp: "2026-01-01T00:00:00Z", data: { execution_id: "e", ...data } });

it("follows a run node by node to its end", () => {
  const frames = [frame("execution.started"), frame("node.executing", { node: "A" }), frame("node.completed", { node: "A", status: "success", counts: [2] }), frame("node.executing", { node: "B" })];
  const going = frames.reduce(follow, begun("e"));
  expect(going.nodes.A).toMatchObject({ status: "success", counts: [2], runs: 1 });
  expect(going.nodes.B).toMatchObject({ status: "running" });
  const over = follow(going, frame("execution.completed", { status: "error", error: { message: "no" } }));
  expect([over.status, over.error?.message, over.nodes.B?.status]).toEqual(["error", "no", "cancelled"]);
  expect(follow(over, frame("execution.started"))).toBe(over);
});

it("leaves frames of other executions alone", () => {
  const run = begun("e");
  expect(follow(run, { ...frame("execution.completed"), data: { execution_id: "other" } })).toBe(run);
});

it("counts the items of all runs of a node, in whichever order they are heard of", () => {
  const completed = (run_index: number, counts: number[]) => frame("node.completed", { node: "Loop", status: "success", run_index, counts });
  const run = [completed(0, [0, 2]), completed(2, [3]), completed(1, [0, 2]), completed(2, [3])].reduce(follow, begun("e"));
  expect(run.nodes.Loop).toMatchObject({ runs: 3, counts: [3, 4] });
  expect([completed(2, [3])].reduce(follow, begun("e")).nodes.Loop).toMatchObject({ runs: 3, counts: [3] });
});
