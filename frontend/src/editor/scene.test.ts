import { describe, expect, it } from "vitest";
import { readDocument } from "../graph/document";
import { breakText } from "./paint";
import { along } from "./routing";
import { type Box, endsAt, nodeAt, sceneOf, type Way, within } from "./scene";

const node = (name: string, position: [number, number], type = "noOp") => ({ id: name, name, type: `n8n-nodes-base.${type}`, typeVersion: 1, position, parameters: {} });
const to = (name: string) => ({ node: name, type: "main", index: 0 });
const graph = readDocument({
  nodes: [node("a", [0, 0]), node("b", [300, 0]), node("c", [600, 200]), node("note", [-100, -100], "stickyNote")],
  connections: { a: { main: [[to("b")]] }, b: { main: [[to("c")]] }, c: { main: [[to("a")]] } },
});
const scene = sceneOf(graph, {});

describe("a scene", () => {
  it("knows what lies at a place, faces before the notes under them", () => {
    expect(nodeAt(scene, 10, 10)).toBe("a");
    expect(nodeAt(scene, 10, -50)).toBe("note");
    expect(nodeAt(scene, 250, 400)).toBeNull();
    expect(within(scene, { x: 350, y: -10, width: 100, height: 20 })).toEqual(["b"]);
  });

  it("finds a connection by a point on its curve", () => {
    const way = scene.ways.get("b/main/0>c/0");
    expect(way).toBeDefined();
    if (!way) return;
    const middle = { x: (way.sourceX + way.targetX) / 2, y: (way.sourceY + way.targetY) / 2 };
    expect(endsAt(scene, middle.x, middle.y, 9)).toEqual(["b", "c"]);
    expect(endsAt(scene, middle.x, middle.y + 60, 9)).toEqual([]);
    expect(endsAt(scene, 300, 88, 9)).toEqual(["c", "a"]);
  });

  type Document = Parameters<typeof readDocument>[0];
  const lead = (nodes: Document["nodes"], connections: Document["connections"]) => [...sceneOf(readDocument({ nodes, connections }), {}).ways.values()];
  const boxes = (nodes: { position: [number, number] }[]) => nodes.map(({ position: [x, y] }) => ({ x: x * 1.3, y, width: 190, height: 62 }));
  /** Faces that a connection runs behind, its own ends left out. */
  const hidden = (way: Way, nodes: { name: string; position: [number, number] }[]) =>
    nodes.filter(({ name }, index) => name !== way.edge.from && name !== way.edge.to && along(way, way.route).some(([x, y]) => within({ boxes: new Map([["", boxes(nodes)[index] as Box]]), ways: new Map(), bounds: null }, { x, y, width: 0.1, height: 0.1 }).length > 0)).map(({ name }) => name);

  it("leads a way back under the nodes between", () => {
    expect(scene.ways.get("c/main/0>a/0")?.route?.y).toBe(88);
    expect(scene.ways.get("a/main/0>b/0")?.route).toBeUndefined();
  });

  it("leads a way back through the first lane that is wide enough, not under everything", () => {
    const rows = [node("from", [500, 0]), node("to", [0, 0]), node("near", [250, 80]), node("far", [250, 400])];
    expect(lead(rows, { from: { main: [[to("to")]] } })[0]?.route?.y).toBe(168);
  });

  it("leads ways back that end at one node beside each other", () => {
    const rows = [node("loop", [0, 0]), node("one", [250, 0]), node("two", [500, 0])];
    const [one, two] = lead(rows, { one: { main: [[to("loop")]] }, two: { main: [[to("loop")]] } });
    expect(Math.abs((one?.route?.y ?? 0) - (two?.route?.y ?? 0))).toBeGreaterThanOrEqual(12);
    expect(one?.route?.left).not.toBe(two?.route?.left);
  });

  it("leads what goes up and what goes down beside the same nodes apart", () => {
    const rows = [node("to", [0, 0]), node("a", [250, 200]), node("b", [250, 400])];
    const [down, up] = lead(rows, { a: { main: [[to("b")]] }, b: { main: [[to("to")]] } });
    expect(down?.sourceX).toBe(up?.sourceX);
    expect(Math.abs((down?.route?.right ?? 0) - (up?.route?.right ?? 0))).toBeGreaterThanOrEqual(8);
  });

  it("leads a way back over two rows past the nodes of both", () => {
    const rows = [node("to", [250, 0]), node("beside", [500, 0]), node("a", [0, 160]), node("b", [220, 160]), node("c", [440, 160]), node("from", [660, 160])];
    const [way] = lead(rows, { from: { main: [[to("to")]] } });
    expect(way && hidden(way, rows)).toEqual([]);
  });

  it("leads a connection around the nodes between its ends, and two of them beside each other", () => {
    const rows = [node("if", [0, 0]), node("yes", [250, 0]), node("end", [500, 0]), node("later", [750, 0])];
    const ways = lead(rows, { if: { main: [[to("yes")], [to("end")]] }, yes: { main: [[to("end"), to("later")]] } });
    expect(ways.map((way) => hidden(way, rows))).toEqual([[], [], [], []]);
    const [around, longer] = [ways[1]?.route, ways[3]?.route];
    expect([around?.back, longer?.back]).toEqual([false, false]);
    expect(Math.abs((around?.y ?? 0) - (longer?.y ?? 0)) >= 12 || (around?.right ?? 0) <= (longer?.left ?? 0)).toBe(true);
  });

  it("leads the lower output under what is in its way, also to a node above, so that it doesn't cross the upper one's", () => {
    const rows = [{ ...node("from", [0, 200]), onError: "continueErrorOutput" as const }, node("next", [250, 200]), node("join", [700, 60])];
    const ways = lead(rows, { from: { main: [[to("next")], [to("join")]] }, next: { main: [[to("join")]] } });
    expect(ways[1]?.route?.away).toBe(1);
  });
});

describe("breakText", () => {
  const fits = (part: string) => part.length <= 8;

  it("breaks at spaces, cuts the last line, and loses nothing before", () => {
    expect(breakText("Short", 2, fits)).toEqual(["Short"]);
    expect(breakText("Read the list", 2, fits)).toEqual(["Read the", "list"]);
    expect(breakText("Read the whole list of orders", 2, fits)).toEqual(["Read the", "whole l…"]);
    expect(breakText("Unbreakable", 1, fits)).toEqual(["Unbreak…"]);
  });
});
