import { expect, test } from "vitest";
import { type Graph, type GraphNode, readDocument } from "./document";
import { stale } from "./stale";

const to = (...names: string[]) => ({ main: [names.map((node) => ({ node, type: "main", index: 0 }))] });
const names = ["Start", "Early", "Late", "Beside"];
const connections = { Start: to("Early", "Beside"), Early: to("Late") };
const made = (changes: Record<string, Partial<GraphNode>> = {}, wires: Record<string, ReturnType<typeof to>> = connections): Graph =>
  readDocument({
    nodes: names.map((name) => ({ id: `id of ${name}`, name, type: "t", typeVersion: 1, position: [0, 0], parameters: {}, ...changes[name] })),
    connections: wires,
  });

test("a change makes the node's data stale, and that of all after it", () => {
  expect(stale(made(), made({ Early: { parameters: { a: 1 } } }))).toEqual(new Set(["Early", "Late"]));
  expect(stale(made(), made({ Beside: { disabled: true } }))).toEqual(new Set(["Beside"]));
  expect(stale(made(), { ...made(), pins: { Late: [{ json: {} }] } })).toEqual(new Set(["Late"]));
});

test("another way into a node counts, and so does another name", () => {
  expect(stale(made(), made({}, { Start: to("Beside", "Late") }))).toEqual(new Set(["Early", "Late"]));
  expect(stale(made(), made({ Early: { name: "Renamed" } }, { Start: to("Renamed", "Beside"), Renamed: to("Late") }))).toEqual(new Set(["Renamed", "Late"]));
});

test("places, notes, ids and the order of members do not", () => {
  const before = made({ Early: { parameters: { a: 1, b: 2 } } });
  const after = made({ Early: { parameters: { b: 2, a: 1 }, id: "other", position: [9, 9], notes: "why" } });
  expect(stale(before, after)).toEqual(new Set());
});
