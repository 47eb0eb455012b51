import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copy, paste, readClipboard } from "./clipboard";
import { moveNodes, removeNodes } from "./commands";
import { type Edge, edgeId, type Graph, type GraphNode, readDocument, writeDocument } from "./document";
import { extract, isRefused } from "./extract";
import { changeGroup, faceOf, foldedGraph, groupNodes, groupsAt, groupsOf, unfoldedIds, ungroup } from "./groups";
import { apply, begin, undo } from "./history";

const node = (id: string): GraphNode => ({ id, name: id.toUpperCase(), type: "n8n-nodes-base.noOp", typeVersion: 1, position: [id.charCodeAt(0), 3], parameters: {} });
const edge = (from: string, to: string, output = 0, input = 0): Edge => ({ from, output, to, input, kind: "main" });
const IDS = ["a", "b", "c", "d", "e", "f"];
const empty: Graph = { name: "", nodes: Object.fromEntries(IDS.map((id) => [id, node(id)])), edges: [], settings: {}, pins: {} };
const some = fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1, maxLength: 4 });
const graphs: fc.Arbitrary<Graph> = fc
  .tuple(fc.array(fc.tuple(fc.constantFrom(...IDS), fc.constantFrom(...IDS), fc.nat(1), fc.nat(1)), { maxLength: 14 }), fc.array(some, { maxLength: 3 }))
  .map(([links, groups]) => {
    const edges = [...new Map(links.map((link) => [edgeId(edge(...link)), edge(...link)])).values()];
    return groups.reduce<Graph>((graph, ids, index) => groupNodes(`g${index}`, `Group ${index}`, ids)(graph), { ...empty, edges });
  });

describe("groups", () => {
  it("hold each node once, and are taken back", () => {
    fc.assert(
      fc.property(graphs, some, (graph, ids) => {
        const history = apply(begin(graph), groupNodes("new", "New", ids));
        const members = groupsOf(history.graph).flatMap((group) => group.nodeIds);
        expect(new Set(members).size).toBe(members.length);
        expect(groupsAt(history.graph, ids).map((group) => group.id)).toEqual(["new"]);
        expect(undo(history).graph).toEqual(graph);
        const gone = apply(history, ungroup(["new"]));
        expect(groupsOf(gone.graph).some((group) => group.id === "new")).toBe(false);
        expect(Object.keys(gone.graph.nodes)).toEqual(IDS);
      }),
    );
  });

  it("are written as n8n has them, and read again with their colours", () => {
    const graph = changeGroup("g", { color: 4 })(groupNodes("g", "Part", ["a", "b"])({ ...empty, meta: { instanceId: "i", weft: { other: 1 } } }));
    const written = writeDocument(graph);
    expect(written.nodeGroups).toEqual([{ id: "g", name: "Part", nodeIds: ["a", "b"] }]);
    expect(written.meta).toEqual({ instanceId: "i", weft: { other: 1, groupColors: { g: 4 } } });
    expect(readDocument(written).groups).toEqual(graph.groups);
    // n8n keeps what it writes itself, a description for instance
    const theirs = readDocument({ nodes: [node("a")], connections: {}, nodeGroups: [{ id: "x", name: "Theirs", nodeIds: ["a"], ...{ description: "kept" } }] });
    expect(writeDocument(theirs).nodeGroups).toEqual([{ id: "x", name: "Theirs", nodeIds: ["a"], description: "kept" }]);
    expect(writeDocument(empty)).not.toHaveProperty("nodeGroups");
    expect(writeDocument(ungroup(["g"])(graph)).nodeGroups).toEqual([]);
  });

  it("lose nodes that are removed, and get them back", () => {
    const history = apply(begin(groupNodes("g", "Part", ["a", "b"])(empty)), removeNodes(["a"]));
    expect(groupsOf(history.graph)[0]?.nodeIds).toEqual(["b"]);
    expect(groupsOf(undo(history).graph)[0]?.nodeIds).toEqual(["a", "b"]);
    expect(groupsOf(removeNodes(["a", "b"])(history.graph))).toEqual([]);
  });

  it("are copied whole, under ids of their own", () => {
    const graph = groupNodes("g", "Part", ["a", "b"])(empty);
    const document = readClipboard(copy(graph, ["a", "b", "c"]));
    if (!document) throw new Error("nothing was copied");
    const after = paste(document, graph, [0, 0]).command(graph);
    const [, pasted] = groupsOf(after);
    expect(pasted).toMatchObject({ name: "Part", color: 1 });
    expect(pasted?.nodeIds.map((id) => after.nodes[id]?.name)).toEqual(["A1", "B1"]);
    expect(readClipboard(copy(graph, ["a"]))).not.toHaveProperty("nodeGroups");
  });

  it("go into a sub-workflow, or hold the call of one", () => {
    const chain = { ...groupNodes("g", "Part", ["b", "c", "d"])(empty), edges: IDS.slice(1).map((id, index) => edge(IDS[index] ?? "", id)) };
    const around = { name: "Sub", isTrigger: () => false, typeOf: () => "any" };
    const whole = extract(chain, ["b", "c", "d"], around);
    const part = extract(chain, ["b", "c"], around);
    if (isRefused(whole) || isRefused(part)) throw new Error("refused");
    expect(whole.child.nodeGroups).toEqual([{ id: "g", name: "Part", nodeIds: ["b", "c", "d"] }]);
    expect(groupsOf(whole.command("w")(chain))).toEqual([]);
    const after = part.command("w")(chain);
    expect(groupsOf(after)[0]?.nodeIds.map((id) => after.nodes[id]?.name)).toEqual(["D", "Sub"]);
  });
});

describe("a folded group", () => {
  it("is one node with the connections that cross its border", () => {
    const graph = { ...groupNodes("g", "Part", ["b", "c"])(empty), edges: [edge("a", "b"), edge("b", "c"), edge("c", "d"), edge("c", "e", 1), edge("e", "f")] };
    const seen = foldedGraph(graph, new Set(["g"]));
    expect(seen.nodes[faceOf("g")]).toMatchObject({ name: "Part", position: [98, 3], parameters: { inputs: ["b/0"], outputs: ["c/0", "c/1"], count: 2 } });
    expect(seen.edges).toEqual([edge("a", faceOf("g")), edge(faceOf("g"), "d"), edge(faceOf("g"), "e", 1), edge("e", "f")]);
  });

  it("hides nothing else, and leads nowhere that isn't seen", () => {
    fc.assert(
      fc.property(graphs, fc.subarray(["g0", "g1", "g2"]), (graph, folded) => {
        const seen = foldedGraph(graph, new Set(folded));
        const hidden = new Set(groupsOf(graph).filter((group) => folded.includes(group.id)).flatMap((group) => group.nodeIds));
        expect(Object.keys(seen.nodes).filter((id) => id in graph.nodes)).toEqual(IDS.filter((id) => !hidden.has(id)));
        for (const each of seen.edges) expect(seen.nodes[each.from] && seen.nodes[each.to] && each.output >= 0 && each.input >= 0).toBeTruthy();
        expect(unfoldedIds(graph, Object.keys(seen.nodes)).sort()).toEqual(IDS);
        expect(foldedGraph(graph, new Set())).toBe(graph);
      }),
    );
  });

  it("moves with its nodes", () => {
    const graph = groupNodes("g", "Part", ["b", "c"])(empty);
    const moved = moveNodes(new Map(unfoldedIds(graph, [faceOf("g")]).map((id) => [id, [graph.nodes[id]?.position[0] ?? 0, 50] as [number, number]])))(graph);
    expect(foldedGraph(moved, new Set(["g"])).nodes[faceOf("g")]?.position).toEqual([98, 50]);
  });
});
