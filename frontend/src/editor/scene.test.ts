import { describe, expect, it } from "vitest";
import { readDocument } from "../graph/document";
import { breakText } from "./paint";
import { endsAt, nodeAt, sceneOf, within } from "./scene";

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
  });

  it("leads a way back under the nodes between", () => {
    expect(scene.ways.get("c/main/0>a/0")?.under).toBe(262);
    expect(scene.ways.get("a/main/0>b/0")?.under).toBeUndefined();
  });

  it("leads a way back through the first lane that is wide enough, not under everything", () => {
    const rows = readDocument({
      nodes: [node("from", [500, 0]), node("to", [0, 0]), node("near", [250, 80]), node("far", [250, 400])],
      connections: { from: { main: [[to("to")]] } },
    });
    expect(sceneOf(rows, {}).ways.get("from/main/0>to/0")?.under).toBe(142);
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
