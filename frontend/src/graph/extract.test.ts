import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Edge, edgeId, type Graph, type GraphNode, readDocument } from "./document";
import { type Extraction, extract, isRefused, type Refusal } from "./extract";
import { apply, begin, undo } from "./history";
import { computesNames, referencesIn, sourcesOf } from "./references";

const node = (name: string, type = "noOp", parameters: GraphNode["parameters"] = {}): GraphNode => ({ id: name.toLowerCase(), name, type: `n8n-nodes-base.${type}`, typeVersion: type === "splitInBatches" ? 3 : 1, position: [0, 0], parameters });
const edge = (from: string, to: string, output = 0, input = 0): Edge => ({ from: from.toLowerCase(), output, to: to.toLowerCase(), input, kind: "main" });
const graphOf = (nodes: GraphNode[], edges: Edge[]): Graph => ({ name: "Parent", nodes: Object.fromEntries(nodes.map((each) => [each.id, each])), edges, settings: { executionOrder: "v1", errorWorkflow: "e" }, pins: {} });

const around = { name: "Part", isTrigger: (each: GraphNode) => each.type.endsWith("Trigger"), typeOf: () => "any" };
const ask = (graph: Graph, ...names: string[]) => extract(graph, names.map((name) => name.toLowerCase()), around);
const codes = (found: Extraction | Refusal[]): string[] => (isRefused(found) ? found.map((each) => each.code) : []);
function done(found: Extraction | Refusal[]): Extraction {
  if (isRefused(found)) throw new Error(JSON.stringify(found));
  return found;
}

const line = (middle: GraphNode[], last: GraphNode = node("Last")): Graph => {
  const all = [node("Start", "manualTrigger"), ...middle, last];
  return graphOf(all, all.slice(1).map((each, index) => edge(all[index]?.name ?? "", each.name)));
};

describe("extract", () => {
  it("moves the chosen nodes into a workflow and puts a call in their place", () => {
    const graph = { ...line([node("A"), node("B")]), pins: { A: [{ json: { a: 1 } }], B: [{ json: { b: 1 } }], Start: [] } };
    const { child, command, call } = done(ask(graph, "A", "B"));
    expect(child.nodes.map((each) => each.name)).toEqual(["When Executed by Another Workflow", "A", "B"]);
    expect(child.nodes[0]?.parameters).toEqual({ inputSource: "passthrough" });
    expect(child.settings).toEqual({ executionOrder: "v1" });
    expect(child.pinData).toEqual({ A: [{ json: { a: 1 } }], B: [{ json: { b: 1 } }] });
    const after = command("w9")(graph);
    const made = Object.values(after.nodes).find((each) => each.name === call);
    expect(made?.parameters.workflowId).toEqual({ __rl: true, mode: "list", value: "w9", cachedResultName: "Part" });
    expect(after.edges).toEqual([edge("start", made?.id ?? ""), edge(made?.id ?? "", "last")]);
    expect(after.pins).toEqual({ Start: [], Part: [{ json: { b: 1 } }] });
  });

  it("hands what is taken from outside over as typed inputs, once each", () => {
    const value = "={{ $('Start').item.json.user.name.toUpperCase() + $('Start').item.json.user.name + $('Start').first().json['a b'] + $(\"Start\").all().length }} {{ $('A').item.json.x }}";
    const graph = line([node("A"), node("B", "set", { value })]);
    const { child, command } = done(extract(graph, ["a", "b"], { ...around, typeOf: (source) => (source.endsWith("name") ? "string" : "any") }));
    const trigger = "$('When Executed by Another Workflow')";
    expect(child.nodes.find((each) => each.name === "B")?.parameters.value).toBe(
      `={{ ${trigger}.item.json.name.toUpperCase() + ${trigger}.item.json.name + ${trigger}.first().json.b + ${trigger}.first().json.Start.length }} {{ $('A').item.json.x }}`,
    );
    expect(child.nodes[0]?.parameters).toEqual({ workflowInputs: { values: [{ name: "item", type: "object" }, { name: "name", type: "string" }, { name: "b", type: "any" }, { name: "Start", type: "any" }] } });
    expect(child.nodes.find((each) => each.name === "Items")).toMatchObject({ type: "n8n-nodes-base.set", parameters: { mode: "raw", jsonOutput: "={{ $json.item }}" } });
    const call = Object.values(command("w")(graph).nodes).find((each) => each.name === "Part");
    expect(call?.parameters.workflowInputs).toMatchObject({ value: { item: "={{ $json }}", name: "={{ $('Start').item.json.user.name }}", b: "={{ $('Start').first().json['a b'] }}", Start: "={{ $('Start').all() }}" } });
  });

  it("lets references to the way out follow to the call", () => {
    const graph = line([node("A"), node("B", "filter")], node("Last", "set", { value: "={{ $('B').item.json.x + $node[\"B\"].json.y }}" }));
    const after = done(ask(graph, "A", "B")).command("w")(graph);
    expect(after.nodes.last?.parameters.value).toBe('={{ $("Part").item.json.x + $node["Part"].json.y }}');
  });

  it.each<[string, Graph, string[], string[]]>([
    ["nothing but a note", graphOf([node("Note", "stickyNote")], []), ["Note"], ["empty", "noEntry"]],
    ["a trigger", line([node("A")]), ["Start", "A"], ["trigger", "noEntry"]],
    ["an answer to the caller", line([node("A", "respondToWebhook")]), ["A"], ["responds"]],
    ["two ways in", graphOf([node("S", "manualTrigger"), node("M", "merge"), node("T")], [edge("S", "M"), edge("S", "M", 0, 1), edge("M", "T")]), ["M"], ["entries", "entries"]],
    ["two ways out", graphOf([node("S", "manualTrigger"), node("I", "if"), node("T"), node("U")], [edge("S", "I"), edge("I", "T"), edge("I", "U", 1)]), ["I"], ["exits", "exits"]],
    ["a way out by a second output", graphOf([node("S", "manualTrigger"), node("I", "if"), node("T")], [edge("S", "I"), edge("I", "T", 1)]), ["I"], ["exitOutput"]],
    ["a second end", graphOf([node("S", "manualTrigger"), node("A"), node("B"), node("C"), node("T")], [edge("S", "A"), edge("A", "B"), edge("A", "C"), edge("C", "T")]), ["A", "B", "C"], ["secondEnd"]],
    ["a node that runs twice", graphOf([node("S", "manualTrigger"), node("I", "if"), node("A"), node("B"), node("C"), node("T")], [edge("S", "I"), edge("I", "A"), edge("I", "B", 1), edge("A", "C"), edge("B", "C"), edge("C", "T")]), ["I", "A", "B", "C"], ["severalRuns"]],
    ["a first output that is open", graphOf([node("S", "manualTrigger"), node("I", "if"), node("A"), node("T")], [edge("S", "I"), edge("I", "A", 1), edge("A", "T")]), ["I", "A"], ["openOutput"]],
    ["a sub-node left behind", graphOf([node("S", "manualTrigger"), node("Agent"), node("Model")], [edge("S", "Agent"), { ...edge("Model", "Agent"), kind: "ai_languageModel" }]), ["Agent"], ["subNode"]],
    ["a name that is computed", line([node("A", "set", { v: "={{ $($json.name).first() }}" })]), ["A"], ["computed"]],
    ["what tells of the run", line([node("A", "code", { jsCode: "return $execution.id" })]), ["A"], ["context"]],
    ["what can't be an input", line([node("A", "set", { v: "={{ $('Start').item.binary.file }}" })]), ["A"], ["reference"]],
    ["the older way to refer", line([node("A", "set", { v: '={{ $node["Start"].json.x }}' })]), ["A"], ["reference"]],
    ["a reference into the middle", line([node("A"), node("B")], node("Last", "set", { v: "={{ $('A').first().json.x }}" })), ["A", "B"], ["inside"]],
    ["lineage that would be lost", line([node("A", "filter")], node("Last", "set", { v: "={{ $('Start').item.json.x }}" })), ["A"], ["lineage"]],
  ])("refuses %s", (_, graph, chosen, expected) => {
    expect(codes(ask(graph, ...chosen))).toEqual(expected);
  });

  it("takes branches that a Merge joins, and loops whose way out is the loop's", () => {
    const branches = graphOf([node("S", "manualTrigger"), node("I", "if"), node("A"), node("B"), node("M", "merge"), node("T")], [edge("S", "I"), edge("I", "A"), edge("I", "B", 1), edge("A", "M"), edge("B", "M", 0, 1), edge("M", "T")]);
    expect(codes(ask(branches, "I", "A", "B", "M"))).toEqual([]);
    const loop = graphOf([node("S", "manualTrigger"), node("L", "splitInBatches"), node("A"), node("T")], [edge("S", "L"), edge("L", "A", 1), edge("A", "L"), edge("L", "T")]);
    expect(codes(ask(loop, "L", "A"))).toEqual([]);
    expect(codes(ask(loop, "A"))).toEqual([]);
  });

  it("keeps lineage that passes one to one", () => {
    expect(codes(ask(line([node("A", "set")], node("Last", "set", { v: "={{ $('Start').item.json.x }}" })), "A"))).toEqual([]);
  });
});

const IDS = ["a", "b", "c", "d", "e", "f"];
const expressions = fc.constantFrom("", ...IDS.flatMap((id) => [`={{ $('${id.toUpperCase()}').item.json.x }}`, `={{ $('${id.toUpperCase()}').first().json.y.z + $json.q }}`]));
/** Mostly forward, as workflows are. */
const graphs: fc.Arbitrary<Graph> = fc
  .tuple(fc.array(expressions, { minLength: 6, maxLength: 6 }), fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.nat({ max: 1 })), { maxLength: 8 }))
  .map(([sources, links]) => {
    const nodes = IDS.map((id, index) => node(id.toUpperCase(), index === 0 ? "manualTrigger" : "set", { v: sources[index] }));
    const edges = links.filter(([from, to]) => from < to).map(([from, to, output]) => edge(IDS[from] ?? "", IDS[to] ?? "", output === 1 && from === 2 ? 1 : 0));
    const chained = IDS.slice(1).map((id, index) => edge(IDS[index] ?? "", id));
    return graphOf(nodes, [...new Map([...edges.slice(0, 3), ...chained].map((each) => [edgeId(each), each])).values()]);
  });

const namedIn = (nodes: GraphNode[]): string[] => nodes.flatMap((each) => sourcesOf(each.parameters).flatMap((source) => referencesIn(source).map((reference) => reference.name)));

describe("every extraction", () => {
  it("keeps each node once, loses no connection, refers to nothing that isn't there, and is taken back", () => {
    let taken = 0;
    fc.assert(
      fc.property(graphs, fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1, maxLength: 4 }), (graph, chosen) => {
        const found = extract(graph, chosen, around);
        if (isRefused(found)) return;
        taken += 1;
        const child = readDocument(found.child);
        const history = apply(begin(graph), found.command("w1"));
        const parent = history.graph;
        const call = Object.values(parent.nodes).find((each) => each.name === found.call)?.id ?? "";
        expect([...Object.keys(parent.nodes), ...Object.keys(child.nodes)].filter((id) => id in graph.nodes).sort()).toEqual(Object.keys(graph.nodes).sort());
        for (const each of [parent, child]) {
          const names = Object.values(each.nodes).map((held) => held.name);
          expect(new Set(names).size).toBe(names.length);
          expect(names).toEqual(expect.arrayContaining(namedIn(Object.values(each.nodes)).filter((name) => name !== "")));
        }
        // the call stands for what begins and ends the child
        const added = new Set(Object.keys(child.nodes).filter((id) => !(id in graph.nodes)));
        const entry = child.edges.find((each) => added.has(each.from) && !added.has(each.to));
        const exit = graph.edges.find((each) => each.from in child.nodes && each.to in parent.nodes);
        const whole = [
          ...child.edges.filter((each) => !added.has(each.from)),
          ...parent.edges.map((each) => ({ ...each, ...(each.from === call && { from: exit?.from ?? "", output: exit?.output ?? 0 }), ...(each.to === call && { to: entry?.to ?? "", input: entry?.input ?? 0 }) })),
        ];
        expect(whole.map(edgeId).sort()).toEqual(graph.edges.map(edgeId).sort());
        expect(undo(history).graph).toEqual(graph);
      }),
      { numRuns: 400 },
    );
    expect(taken).toBeGreaterThan(20);
  });
});

describe("references", () => {
  it.each([
    ["$('A b').item", ["A b"]],
    ["$( \"A\" ).first() + $node[\"B\"].json + $node.C.json + $items('D')", ["A", "B", "C", "D"]],
    [String.raw`$('it\'s').all()`, ["it's"]],
    ["$json.a + $items()", []],
  ])("of %s", (source, names) => {
    expect(referencesIn(source).map((each) => each.name)).toEqual(names);
    expect(computesNames(source)).toBe(false);
  });

  it.each(["$(name).first()", "$node[key].json", "$items(x)", "$(`a${1}`).first()", "$('a' + 'b').first()"])("are computed in %s", (source) => {
    expect(computesNames(source)).toBe(true);
  });
});
