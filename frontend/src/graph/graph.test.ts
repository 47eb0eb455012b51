import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copy, paste, readClipboard } from "./clipboard";
import { addNode, type Command, connect, disconnect, insertOnEdge, moveNodes, names, nodeByName, pin, removeAndJoin, removeNodes, renameNode, replaceNode, toggleDisabled } from "./commands";
import { compare, isSame } from "./diff";
import { type Edge, edgeId, type Graph, type GraphNode, readDocument, writeDocument } from "./document";
import { apply, begin, redo, undo } from "./history";
import { align, distribute, tidy } from "./layout";
import { renameInSource } from "./rename";

const node = (id: string, name = id, parameters: GraphNode["parameters"] = {}): GraphNode => ({ id, name, type: "n8n-nodes-base.noOp", typeVersion: 1, position: [0, 0], parameters });

const edge = (from: string, to: string, output = 0, input = 0): Edge => ({ from, output, to, input, kind: "main" });

const IDS = ["a", "b", "c", "d", "e"];
const ids = fc.constantFrom(...IDS);
const ports = fc.nat(2);

const graphs: fc.Arbitrary<Graph> = fc
  .record({ edges: fc.array(fc.tuple(ids, ids, ports, ports), { maxLength: 12 }), position: fc.tuple(fc.integer(), fc.integer()) })
  .map(({ edges, position }) => {
    const nodes = Object.fromEntries(IDS.map((id) => [id, { ...node(id, `Node ${id}`, { value: `={{ $('Node ${id}').first() }}` }), position }]));
    const unique = new Map(edges.map(([from, to, output, input]) => [edgeId(edge(from, to, output, input)), edge(from, to, output, input)]));
    return { name: "Any", nodes, edges: [...unique.values()], settings: {}, pins: {} };
  });

const commands: fc.Arbitrary<Command> = fc.oneof(
  ids.map((id) => removeNodes([id])),
  ids.map((id) => removeAndJoin(id)),
  fc.tuple(ids, ids, ports, ports).map(([from, to, output, input]) => connect(edge(from, to, output, input))),
  fc.tuple(ids, ids).map(([from, to]) => disconnect([edgeId(edge(from, to))])),
  fc.tuple(ids, fc.integer(), fc.integer()).map(([id, x, y]) => moveNodes(new Map([[id, [x, y]]]))),
  fc.tuple(ids, fc.string({ minLength: 1, maxLength: 8 })).map(([id, name]) => renameNode(id, name)),
  ids.map((id) => toggleDisabled([id])),
  ids.map((id) => pin(`Node ${id}`, [{ json: {} }])),
  fc.uuid().map((id) => addNode(node(id, "Node a"))),
);

describe("history", () => {
  it("takes every sequence of commands back, and does it again", () => {
    fc.assert(
      fc.property(graphs, fc.array(commands, { maxLength: 12 }), (graph, steps) => {
        const done = steps.reduce((history, command) => apply(history, command), begin(graph));
        let back = done;
        while (back.past.length > 0) back = undo(back);
        expect(back.graph).toEqual(graph);
        let again = back;
        while (again.future.length > 0) again = redo(again);
        expect(again.graph).toEqual(done.graph);
      }),
    );
  });

  it("brings removed nodes back where they stood among the others", () => {
    const graph: Graph = { name: "", nodes: { a: node("a"), b: node("b"), c: node("c") }, edges: [], settings: {}, pins: {} };
    const back = undo(apply(begin(graph), removeNodes(["b"])));
    expect(Object.keys(back.graph.nodes)).toEqual(["a", "b", "c"]);
  });

  it("joins steps with the same tag", () => {
    const typed = ["x", "xy"].reduce((history, name) => apply(history, (graph) => ({ ...graph, name }), "name"), begin({ name: "", nodes: {}, edges: [], settings: {}, pins: {} }));
    expect(typed.past).toHaveLength(1);
    expect(undo(typed).graph.name).toBe("");
  });

  it("does nothing for a command that changes nothing", () => {
    const history = begin({ name: "", nodes: { a: node("a") }, edges: [], settings: {}, pins: {} });
    expect(apply(history, renameNode("a", "a"))).toBe(history);
  });
});

describe("documents", () => {
  it("are written as they were read", () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const read = readDocument(writeDocument(graph));
        expect({ ...read, edges: read.edges.map(edgeId).sort() }).toEqual({ ...graph, edges: graph.edges.map(edgeId).sort() });
      }),
    );
  });

  it("keep what the editor doesn't know", () => {
    const odd = { ...node("a"), odd: { kept: true } };
    expect(writeDocument(readDocument({ nodes: [odd], connections: {} })).nodes).toEqual([odd]);
  });

  it("never leave a connection to a node that is gone, nor two nodes of one name", () => {
    fc.assert(
      fc.property(graphs, fc.array(commands, { maxLength: 12 }), (graph, steps) => {
        const after = steps.reduce((held, command) => command(held), graph);
        for (const each of after.edges) expect(after.nodes[each.from] && after.nodes[each.to]).toBeTruthy();
        expect(names(after).size).toBe(Object.keys(after.nodes).length);
      }),
    );
  });
});

describe("renaming", () => {
  it.each([
    [`$('Old').first()`, `$('New').first()`],
    [`$( "Old" ).all()`, `$( "New" ).all()`],
    [`$node["Old"].json`, `$node["New"].json`],
    [`$node.Old.json + $node.Older`, `$node.New.json + $node.Older`],
    [`$items('Old', 0)`, `$items('New', 0)`],
    [`'Old' + $json.Old`, `'Old' + $json.Old`],
  ])("turns %s into %s", (before, after) => {
    expect(renameInSource(before, new Map([["Old", "New"]]))).toBe(after);
  });

  it("escapes quotes and backslashes, so that the source still names the node", () => {
    const name = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom("a", " ", '"', "'", "\\", "$", "é") });
    fc.assert(
      fc.property(name, (to) => {
        expect(renameInSource(`$("Old").item`, new Map([["Old", to]]))).toBe(`$(${JSON.stringify(to)}).item`);
        expect(renameInSource(`$(${JSON.stringify(to)}).item`, new Map([[to, "Old"]]))).toBe(`$("Old").item`);
      }),
    );
  });

  it("swaps two names at once", () => {
    const swapped = new Map([["A", "B"], ["B", "A"]]);
    expect(renameInSource(`$('A').first() + $node.B + $('C')`, swapped)).toBe(`$('B').first() + $node.A + $('C')`);
  });

  it("follows in the parameters of other nodes, in pins, and never takes a name that is there", () => {
    const graph: Graph = { name: "", nodes: { a: node("a", "Old"), b: node("b", "B", { deep: [{ text: "={{ $('Old').item.json.x }}", plain: "$('Old')" }] }) }, edges: [], settings: {}, pins: { Old: [] } };
    const after = renameNode("a", "B")(graph);
    expect(after.nodes.a?.name).toBe("B1");
    expect(after.nodes.b?.parameters).toEqual({ deep: [{ text: "={{ $('B1').item.json.x }}", plain: "$('Old')" }] });
    expect(after.pins).toEqual({ B1: [] });
  });
});

describe("clipboard", () => {
  const graph: Graph = { name: "", nodes: { a: node("a", "A"), b: node("b", "B", { text: "={{ $('A').item }}" }), c: node("c", "C") }, edges: [edge("a", "b"), edge("b", "c")], settings: {}, pins: { A: [{ json: { x: 1 } }] } };

  it("pastes n8n JSON under free names, with expressions that follow", () => {
    const document = readClipboard(copy(graph, ["a", "b"]));
    expect(document).not.toBeNull();
    if (!document) return;
    const { command, ids: added } = paste(document, graph, [100, 50]);
    const after = command(graph);
    expect(added).toHaveLength(2);
    expect(nodeByName(after, "B1")?.parameters).toEqual({ text: "={{ $('A1').item }}" });
    expect(after.pins.A1).toEqual([{ json: { x: 1 } }]);
    expect(after.edges).toHaveLength(3);
  });

  it.each(["", "text", "[]", "{}", `{"nodes": []}`, `{"nodes": [1]}`])("takes %s for no workflow", (text) => {
    expect(readClipboard(text)).toBeNull();
  });
});

describe("insert, remove, tidy, compare", () => {
  const graph: Graph = { name: "", nodes: { a: node("a"), b: node("b") }, edges: [edge("a", "b", 1, 2)], settings: {}, pins: {} };

  it("puts a node into an edge, and joins the ends when it goes", () => {
    const between = insertOnEdge(edge("a", "b", 1, 2), node("x"))(graph);
    expect(between.edges).toEqual([edge("a", "x", 1, 0), edge("x", "b", 0, 2)]);
    expect(removeAndJoin("x")(between).edges).toEqual(graph.edges);
  });

  it("lays out from left to right", () => {
    const after = tidy(graph, [], () => ({ width: 100, height: 40 }))(graph);
    expect(after.nodes.b?.position[0]).toBeGreaterThan((after.nodes.a?.position[0] ?? 0) + 100);
  });

  it("sees what differs, but not where nodes stand", () => {
    const moved = moveNodes(new Map([["a", [500, 500]]]))(graph);
    expect(isSame(compare(writeDocument(graph), writeDocument(moved)))).toBe(true);
    const changed = addNode(node("c"))(removeNodes(["b"])(graph));
    expect(compare(writeDocument(graph), writeDocument(changed))).toEqual({ added: ["c"], removed: ["b"], changed: [], wiring: true });
  });
});

describe("replaceNode", () => {
  const graph: Graph = { name: "", nodes: { a: node("a", "No Operation"), b: { ...node("b", "After", { value: "={{ $('No Operation').first() }}" }) } }, edges: [edge("a", "b"), edge("a", "b", 2)], settings: {}, pins: { "No Operation": [] } };

  it("keeps connections that the new node has ports for, and takes expressions along", () => {
    const after = replaceNode("a", { ...node("x", "Edit Fields"), type: "n8n-nodes-base.set" }, "No Operation", { inputs: [""], outputs: [""] })(graph);
    expect(after.nodes.a).toMatchObject({ id: "a", name: "Edit Fields", type: "n8n-nodes-base.set" });
    expect(after.edges).toEqual([edge("a", "b")]);
    expect(after.nodes.b?.parameters.value).toBe("={{ $('Edit Fields').first() }}");
    expect(after.pins).toEqual({});
  });

  it("keeps a name that was given by hand", () => {
    const after = replaceNode("b", node("x", "Edit Fields"), "No Operation", { inputs: [""], outputs: [""] })(graph);
    expect(after.nodes.b?.name).toBe("After");
    expect(after.edges).toEqual(graph.edges);
  });
});

describe("align and distribute", () => {
  const size = () => ({ width: 100, height: 50 });

  it("puts sides on one line, and makes gaps equal between the outermost", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: -5000, max: 5000 }), fc.integer({ min: -5000, max: 5000 })), { minLength: 3, maxLength: 12 }), (places) => {
        const nodes = Object.fromEntries(places.map((position, index) => [`n${index}`, { ...node(`n${index}`), position }]));
        const graph: Graph = { name: "", nodes, edges: [], settings: {}, pins: {} };
        const all = Object.keys(nodes);
        const xs = (after: Graph) => all.map((id) => after.nodes[id]?.position[0] ?? NaN).sort((left, right) => left - right);
        expect(new Set(xs(align(graph, all, "right", size)(graph)))).toEqual(new Set([Math.max(...places.map(([x]) => x))]));
        const spread = xs(distribute(graph, all, "x", size)(graph));
        const gaps = spread.slice(1).map((x, index) => x - (spread[index] ?? 0));
        expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
        expect([spread[0], spread.at(-1)]).toEqual([Math.min(...places.map(([x]) => x)), Math.max(...places.map(([x]) => x))]);
      }),
    );
  });
});
