import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDocument } from "../graph/document";
import { sceneOf } from "./scene";
import { walk } from "./walking";

const node = (name: string, position: [number, number]) => ({ id: name, name, type: "n8n-nodes-base.noOp", typeVersion: 1, position, parameters: {} });
const to = (...names: string[]) => names.map((name) => ({ node: name, type: "main", index: 0 }));

describe("walking through a graph", () => {
  it("follows connections to the sides, else goes to the nearest", () => {
    const graph = readDocument({ nodes: [node("a", [0, 0]), node("b", [400, 300]), node("c", [200, 0]), node("d", [0, 200])], connections: { a: { main: [to("b"), to("c")] } } });
    const from = (id: string | null, direction: Parameters<typeof walk>[3]) => walk(graph, sceneOf(graph, {}), id, direction);
    expect(from("a", "right")).toBe("b");
    expect(from("b", "left")).toBe("a");
    expect(from("d", "right")).toBe("c");
    expect(from("a", "down")).toBe("d");
    expect(from("d", "up")).toBe("a");
    expect(from("a", "up")).toBe("a");
    expect(from(null, "right")).toBe("a");
  });

  it("passes every node, wherever they lie, one after another and back", () => {
    const places = fc.array(fc.tuple(fc.integer({ min: -2000, max: 2000 }), fc.integer({ min: -2000, max: 2000 })), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(places, (given) => {
        const graph = readDocument({ nodes: given.map((position, index) => node(`n${index}`, position)), connections: {} });
        const scene = sceneOf(graph, {});
        const passed: (string | null)[] = [walk(graph, scene, null, "first")];
        for (let step = 1; step < given.length; step++) passed.push(walk(graph, scene, passed.at(-1) ?? null, "next"));
        expect(new Set(passed).size).toBe(given.length);
        expect(passed.at(-1)).toBe(walk(graph, scene, null, "last") && walk(graph, scene, passed[0] ?? null, "last"));
        expect(walk(graph, scene, passed.at(-1) ?? null, "previous")).toBe(passed.at(-2) ?? passed[0]);
      }),
    );
  });
});
