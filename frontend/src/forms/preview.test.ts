import { describe, expect, it } from "vitest";
import type { Source } from "../api/types";
import type { Item } from "../graph/document";
import { previewOf, type Sight } from "./preview";

const item = (n: number, pairedItem?: unknown): Item => ({ json: { n }, ...(pairedItem !== undefined && { pairedItem }) });

/** First gives 0 to 4, Turned the same from behind, Every fifth only the one chosen. */
const runs: Record<string, { outputs: Item[][]; source: (Source | null)[] }[]> = {
  First: [{ outputs: [[0, 1, 2, 3, 4].map((n) => item(n))], source: [] }],
  Turned: [{ outputs: [[4, 3, 2, 1, 0].map((n) => item(n, { item: n }))], source: [["First", 0, 0]] }],
};
const items = [4, 3, 2, 1, 0].map((n) => item(n, { item: n }));
const sight: Sight = { items, chosen: 1, source: ["Turned", 0, 0], runsOf: (node) => runs[node] ?? [] };

describe("what a preview sends", () => {
  it("is the chosen item alone where nothing else is named", () => {
    expect(previewOf("={{ $json.n }}", sight)).toEqual({ items: [items[1]], item_index: 0, source: [["Turned", 0, 0]] });
  });

  it.each(["={{ $input.all().length }}", "={{ $itemIndex }}", "={{ $items('First') }}"])("is all of the input for %s", (expression) => {
    const sent = previewOf(expression, sight);
    expect([sent.items.length, sent.item_index]).toEqual([5, 1]);
  });

  it("is the one item of another node that the chosen one came from, with the way there", () => {
    const sent = previewOf("={{ $('First').item.json.n }}", sight);
    expect(sent.run_data).toEqual({ First: [[[item(3)]]], Turned: [[[{ json: {}, pairedItem: [{ item: 0, input: 0 }] }]]] });
    expect(sent.items).toEqual([item(3, [{ item: 0, input: 0 }])]);
    expect(sent.sources).toEqual({ First: [[]], Turned: [[["First", 0, 0]]] });
  });

  it("is everything of a node that is looked at as a whole", () => {
    const sent = previewOf("={{ $('First').all().length + $('First').item.json.n }}", sight);
    expect(sent.run_data?.First?.[0]?.[0]).toHaveLength(5);
    expect(sent.items[0]?.pairedItem).toEqual([{ item: 3, input: 0 }]);
  });

  it("keeps a lineage that leads nowhere out of range", () => {
    const lost: Sight = { ...sight, items: [item(9, 7)], chosen: 0 };
    const sent = previewOf("={{ $('First').item.json.n }}", lost);
    expect(sent.items[0]?.pairedItem).toEqual([{ item: 0, input: 0 }]);
    expect(sent.run_data?.First).toEqual([[[]]]);
  });

  it("ends on a lineage that goes in a ring", () => {
    const ring: typeof runs = { Loop: [{ outputs: [[item(1, 0)]], source: [["Loop", 0, 0]] }] };
    const sent = previewOf("={{ $('Gone').item.json.n }} {{ $('Loop').item.json.n }}", { items: [item(1, 0)], chosen: 0, source: ["Loop", 0, 0], runsOf: (node) => ring[node] ?? [] });
    expect(sent.run_data).toEqual({ Loop: [[[item(1, [{ item: 0, input: 0 }])]]] });
  });
});
