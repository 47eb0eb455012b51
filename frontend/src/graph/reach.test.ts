import { expect, test } from "vitest";
import { readDocument } from "./document";
import { linked } from "./reach";

const to = (...names: string[]) => ({ main: [names.map((node) => ({ node, type: "main", index: 0 }))] });
const graph = readDocument({
  nodes: ["Start", "Loop", "Body", "Done", "Beside"].map((name) => ({ id: `id of ${name}`, name, type: "t", typeVersion: 1, position: [0, 0], parameters: {} })),
  connections: { Start: to("Loop", "Beside"), Loop: to("Body", "Done"), Body: to("Loop") },
});

test("what lies before and after a node follows loops, without the node itself", () => {
  expect(linked(graph, "Done", "before")).toEqual(new Set(["Loop", "Start", "Body"]));
  expect(linked(graph, "Loop", "after")).toEqual(new Set(["Body", "Done"]));
  expect(linked(graph, "Loop", "before")).toEqual(new Set(["Start", "Body"]));
  expect(linked(graph, "Start", "after")).toEqual(new Set(["Loop", "Beside", "Body", "Done"]));
  expect(linked(graph, "no such", "after")).toEqual(new Set());
});
