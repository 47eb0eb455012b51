/** A selection becomes a workflow of its own, called where it stood, so that runs give the same as before; or the
 * reasons why they would not. */

import { type Command, freeName } from "./commands";
import { type Edge, type Graph, type GraphNode, type Item, STICKY_NOTE, type WorkflowDocument, writeConnections, writeGroups } from "./document";
import { groupsOf } from "./groups";
import { computesNames, mapSources, type Reference, referencesIn, sourcesOf } from "./references";

/** Why a selection can't be a workflow of its own. `node`, `other`: names; `port`: an output, counted from 1. */
export interface Refusal {
  code: "empty" | "trigger" | "responds" | "noEntry" | "entries" | "exits" | "exitOutput" | "secondEnd" | "severalRuns" | "openOutput" | "subNode" | "computed" | "context" | "reference" | "inside" | "lineage";
  node: string;
  other: string;
  port: number;
}

export interface Extraction {
  child: WorkflowDocument & Required<Pick<WorkflowDocument, "name" | "settings" | "pinData">>;
  /** Puts the call in the selection's place. `workflow`: the id that the child was stored under. */
  command: (workflow: string) => Command;
  call: string;
}

export interface Surroundings {
  /** Of the new workflow. */
  name: string;
  isTrigger: (node: GraphNode) => boolean;
  /** The type of an input, as far as it is known: what a source like `$('A').item.json.x` gave. */
  typeOf: (source: string) => string;
}

const TRIGGER = "When Executed by Another Workflow";
const CALL = "n8n-nodes-base.executeWorkflow";
const STEP = 240;
const ITEM = "item";
const short = (node: GraphNode): string => node.type.split(".").at(-1) ?? "";
const RESPONDING = new Set(["respondToWebhook", "form", "chat"]);
const LOOP = "splitInBatches";
/** Types that give one item for each item, in the same order. */
const ONE_TO_ONE = new Set(["noOp", "set", "dateTime", "crypto", "renameKeys", "executionData", "wait", "markdown", "editImage"]);
/** What tells of the workflow or the run that it is evaluated in. */
const OF_THE_RUN = /\$(?:workflow|execution|prevNode|getWorkflowStaticData)\b/;

const keepsItems = (node: GraphNode): boolean =>
  ONE_TO_ONE.has(short(node)) || (short(node) === "code" && node.parameters.mode === "runOnceForEachItem") || node.disabled === true;

/** The child and the command, or why not. */
export function extract(graph: Graph, ids: readonly string[], around: Surroundings): Extraction | Refusal[] {
  return new Extractor(graph, ids, around).result();
}

class Extractor {
  private readonly inside: ReadonlySet<string>;
  private readonly nodes: GraphNode[];
  private readonly outer: GraphNode[];
  private readonly main: Edge[];
  private readonly into: Edge[];
  private readonly out: Edge[];
  private readonly within: Edge[];
  private readonly refusals: Refusal[] = [];
  /** Inputs of the child by the source that gives them. */
  private readonly inputs = new Map<string, { name: string; type: string }>();
  private readonly trigger: string;

  constructor(
    private readonly graph: Graph,
    ids: readonly string[],
    private readonly around: Surroundings,
  ) {
    this.inside = new Set(ids.filter((id) => id in graph.nodes));
    const all = Object.values(graph.nodes);
    this.nodes = all.filter((node) => this.inside.has(node.id));
    this.outer = all.filter((node) => !this.inside.has(node.id));
    this.main = graph.edges.filter((edge) => edge.kind === "main");
    this.into = this.main.filter((edge) => !this.inside.has(edge.from) && this.inside.has(edge.to));
    this.out = this.main.filter((edge) => this.inside.has(edge.from) && !this.inside.has(edge.to));
    this.within = this.main.filter((edge) => this.inside.has(edge.from) && this.inside.has(edge.to));
    this.trigger = freeName(TRIGGER, new Set(this.nodes.map((node) => node.name)));
  }

  result(): Extraction | Refusal[] {
    this.checkNodes();
    this.checkShape();
    this.checkOutside();
    const moved = this.nodes.map((node) => ({ ...node, parameters: mapSources(node.parameters, (source) => this.rewritten(node, source)) }));
    if (this.refusals.length > 0) return distinct(this.refusals);
    const call = freeName(this.around.name, new Set(this.outer.map((node) => node.name)));
    return { child: this.child(moved), command: (workflow) => this.replaced(call, workflow), call };
  }

  private refuse(code: Refusal["code"], node = "", other = "", port = 0): void {
    this.refusals.push({ code, node, other, port });
  }

  private nameOf(id: string): string {
    return this.graph.nodes[id]?.name ?? "";
  }

  private checkNodes(): void {
    if (this.nodes.every((node) => node.type === STICKY_NOTE)) this.refuse("empty");
    for (const node of this.nodes) {
      if (node.type !== STICKY_NOTE && this.around.isTrigger(node)) this.refuse("trigger", node.name);
      if (RESPONDING.has(short(node))) this.refuse("responds", node.name);
      for (const source of sourcesOf(node.parameters)) if (OF_THE_RUN.test(source)) this.refuse("context", node.name, OF_THE_RUN.exec(source)?.[0]);
    }
    for (const edge of this.graph.edges) {
      if (edge.kind !== "main" && this.inside.has(edge.from) !== this.inside.has(edge.to)) this.refuse("subNode", this.nameOf(edge.from), this.nameOf(edge.to));
    }
  }

  private checkShape(): void {
    const entries = new Map(this.into.map((edge) => [`${edge.to}/${edge.input}`, edge]));
    const exits = new Map(this.out.map((edge) => [`${edge.from}/${edge.output}`, edge]));
    if (entries.size === 0) this.refuse("noEntry");
    if (entries.size > 1) for (const edge of entries.values()) this.refuse("entries", this.nameOf(edge.to), "", edge.input + 1);
    if (exits.size > 1) for (const edge of exits.values()) this.refuse("exits", this.nameOf(edge.from), "", edge.output + 1);
    const [exit] = exits.values();
    if (exit && exits.size === 1) this.checkEnd(exit);
  }

  /** The caller gets the first output of the node that ran last, once: that has to be the way out. */
  private checkEnd(exit: Edge): void {
    if (exit.output > 0) this.refuse("exitOutput", this.nameOf(exit.from), "", exit.output + 1);
    const next = following(this.within);
    for (const node of this.nodes) {
      const outputs = new Set(this.within.filter((edge) => edge.from === node.id).map((edge) => edge.output));
      if (node.id === exit.from) {
        const loops = short(node) === LOOP && node.typeVersion >= 3 && [...outputs].every((output) => output > 0);
        if (outputs.size > 0 && !loops) this.refuse("secondEnd", node.name, node.name);
        continue;
      }
      const runs = this.main.some((edge) => edge.to === node.id);
      if (runs && !reach(next, node.id).has(exit.from)) this.refuse("secondEnd", node.name, this.nameOf(exit.from));
      if (outputs.size > 0 && !outputs.has(0)) this.refuse("openOutput", node.name);
    }
    this.checkRuns();
  }

  /** Nodes that branches meet at without a Merge run once for each. */
  private checkRuns(): void {
    const next = following(this.within);
    const entry = new Set(this.into.map((edge) => `${edge.to}/${edge.input}`));
    const arriving = new Map<string, number>([...entry].map((port) => [port, 1]));
    for (const edge of this.within) {
      const target = this.graph.nodes[edge.to];
      const back = target && short(target) === LOOP && reach(next, edge.to).has(edge.from);
      const port = `${edge.to}/${edge.input}`;
      if (!back) arriving.set(port, (arriving.get(port) ?? 0) + 1);
    }
    for (const [port, count] of arriving) if (count > 1) this.refuse("severalRuns", this.nameOf(port.slice(0, port.lastIndexOf("/"))));
  }

  private checkOutside(): void {
    const byName = new Map(this.nodes.map((node) => [node.name, node]));
    const exit = this.out[0]?.from;
    const after = exit === undefined ? new Set<string>() : reach(following(this.main), exit);
    const exact = this.nodes.every((node) => node.type === STICKY_NOTE || keepsItems(node)) && this.within.length === Math.max(0, this.nodes.filter((node) => node.type !== STICKY_NOTE).length - 1);
    for (const node of this.outer) {
      for (const source of sourcesOf(node.parameters)) {
        if (computesNames(source)) this.refuse("computed", node.name);
        for (const reference of referencesIn(source)) {
          const named = byName.get(reference.name);
          const rest = source.slice(reference.end);
          if (named && !(named.id === exit && /^\s*\.(?:item|first|last|all|json|isExecuted)\b/.test(rest))) this.refuse("inside", node.name, reference.name);
          const other = this.outer.find((each) => each.name === reference.name);
          const paired = !reference.call || /^\s*\.(?:item|pairedItem|itemMatching)\b/.test(rest);
          if (other && paired && !exact && after.has(node.id) && !after.has(other.id)) this.refuse("lineage", node.name, other.name);
        }
      }
    }
  }

  /** A source inside, with what it takes from outside as inputs of the child. */
  private rewritten(node: GraphNode, source: string): string {
    if (computesNames(source)) this.refuse("computed", node.name);
    let after = "";
    let done = 0;
    for (const reference of referencesIn(source)) {
      if (reference.start < done || !this.outer.some((each) => each.name === reference.name)) continue;
      const found = accessed(source, reference);
      if (!found) {
        this.refuse("reference", node.name, reference.name);
        continue;
      }
      const { text, end, last, each } = found;
      const name = this.input(text, last || reference.name);
      after += `${source.slice(done, reference.start)}$('${this.trigger}').${each ? "item" : "first()"}.json.${name}`;
      done = end;
    }
    return after + source.slice(done);
  }

  private input(source: string, wanted: string): string {
    const known = this.inputs.get(source);
    if (known) return known.name;
    const plain = wanted.replace(/\W+/g, "_").replace(/^(?=\d)|^$/, "_");
    const name = freeName(plain, new Set([ITEM, ...[...this.inputs.values()].map((each) => each.name)]));
    this.inputs.set(source, { name, type: this.around.typeOf(source) });
    return name;
  }

  /** With inputs, the item comes as one of them, and a node at the start makes it the item again. */
  private child(moved: GraphNode[]): Extraction["child"] {
    const entry = this.into[0];
    const at = this.graph.nodes[entry?.to ?? ""]?.position ?? [0, 0];
    const typed = this.inputs.size > 0;
    const trigger: GraphNode = {
      id: crypto.randomUUID(),
      name: this.trigger,
      type: "n8n-nodes-base.executeWorkflowTrigger",
      typeVersion: 1.1,
      position: [at[0] - STEP * (typed ? 2 : 1), at[1]],
      parameters: typed ? { workflowInputs: { values: this.stated().map(({ name, type }) => ({ name, type })) } } : { inputSource: "passthrough" },
    };
    const nodes: Record<string, GraphNode> = Object.fromEntries([trigger, ...moved].map((node) => [node.id, node]));
    const edges = this.graph.edges.filter((edge) => this.inside.has(edge.from) && this.inside.has(edge.to));
    let from = trigger.id;
    if (typed) {
      const items: GraphNode = {
        id: crypto.randomUUID(),
        name: freeName("Items", new Set([trigger, ...moved].map((node) => node.name))),
        type: "n8n-nodes-base.set",
        typeVersion: 3.3,
        position: [at[0] - STEP, at[1]],
        parameters: { mode: "raw", jsonOutput: `={{ $json.${ITEM} }}`, options: {} },
      };
      nodes[items.id] = items;
      edges.push({ from, output: 0, to: items.id, input: 0, kind: "main" });
      from = items.id;
    }
    if (entry) edges.push({ from, output: 0, to: entry.to, input: entry.input, kind: "main" });
    const groups = groupsOf(this.graph).filter((group) => group.nodeIds.every((id) => this.inside.has(id)));
    const { executionOrder, timezone } = this.graph.settings;
    return {
      name: this.around.name,
      nodes: Object.values(nodes),
      connections: writeConnections(nodes, edges),
      settings: { ...(executionOrder !== undefined && { executionOrder }), ...(timezone !== undefined && { timezone }) },
      ...(groups.length > 0 && writeGroups({ groups })),
      pinData: Object.fromEntries(Object.entries(this.graph.pins).filter(([name]) => moved.some((node) => node.name === name))),
    };
  }

  private stated(): { source: string; name: string; type: string }[] {
    return [{ source: "$json", name: ITEM, type: "object" }, ...[...this.inputs].map(([source, input]) => ({ source, ...input }))];
  }

  private replaced(name: string, workflow: string): Command {
    const entry = this.into[0];
    const exit = this.out[0];
    const typed = this.inputs.size > 0 ? this.stated() : [];
    const node: GraphNode = {
      id: crypto.randomUUID(),
      name,
      type: CALL,
      typeVersion: 1.2,
      position: this.graph.nodes[entry?.to ?? ""]?.position ?? [0, 0],
      parameters: {
        workflowId: { __rl: true, mode: "list", value: workflow, cachedResultName: this.around.name },
        workflowInputs: {
          mappingMode: "defineBelow",
          value: Object.fromEntries(typed.map((input) => [input.name, `={{ ${input.source} }}`])),
          matchingColumns: [],
          schema: typed.map((input) => ({ id: input.name, displayName: input.name, type: input.type, required: false, display: true, defaultMatch: false, canBeUsedToMatch: true })),
          attemptToConvertTypes: false,
          convertFieldsToString: false,
        },
        options: {},
      },
    };
    const old = this.nameOf(exit?.from ?? "");
    const edges = this.main.flatMap((edge): Edge[] => {
      const [from, to] = [this.inside.has(edge.from), this.inside.has(edge.to)];
      if (from && to) return [];
      return [{ ...edge, ...(from && { from: node.id, output: 0 }), ...(to && { to: node.id, input: 0 }) }];
    });
    const kept = this.graph.edges.filter((edge) => edge.kind !== "main" && !this.inside.has(edge.from));
    return (graph) => {
      const nodes: Record<string, GraphNode> = {};
      for (const each of Object.values(graph.nodes)) {
        if (this.inside.has(each.id)) continue;
        const parameters = exit ? mapSources(each.parameters, (source) => renamed(source, old, name)) : each.parameters;
        nodes[each.id] = parameters === each.parameters ? each : { ...each, parameters };
      }
      nodes[node.id] = node;
      const gone = new Set(this.nodes.map((each) => each.name));
      const pins: Record<string, Item[]> = Object.fromEntries(Object.entries(graph.pins).filter(([pinned]) => !gone.has(pinned)));
      const pinned = graph.pins[old];
      if (pinned && exit) pins[name] = pinned;
      const groups = groupsOf(graph).flatMap((group) => {
        const nodeIds = group.nodeIds.filter((id) => !this.inside.has(id));
        return nodeIds.length === group.nodeIds.length ? [group] : nodeIds.length > 0 ? [{ ...group, nodeIds: [...nodeIds, node.id] }] : [];
      });
      return { ...graph, nodes, edges: unique([...edges, ...kept]), pins, ...(graph.groups && { groups }) };
    };
  }
}

const PATH = /^(?:\.[A-Za-z_$][\w$]*|\[\s*(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\d+)\s*\])*/;

/** What a reference takes: all that can be worked out before the run. `each`: one value per item. */
function accessed(source: string, reference: Reference): { text: string; end: number; last: string; each: boolean } | null {
  if (!reference.call) return null;
  const head = `$('${reference.name.replace(/[\\']/g, "\\$&")}')`;
  const rest = source.slice(reference.end);
  const all = /^\s*\.all\(\s*\)/.exec(rest);
  if (all) return { text: `${head}.all()`, end: reference.end + all[0].length, last: "", each: false };
  const member = /^\s*\.(item|first\(\s*\)|last\(\s*\))\s*\.json(?![\w$])/.exec(rest);
  if (!member) return null;
  const beyond = rest.slice(member[0].length);
  let path = PATH.exec(beyond)?.[0] ?? "";
  if (/^\s*\(/.test(beyond.slice(path.length))) path = path.replace(/(?:\.[A-Za-z_$][\w$]*|\[[^\]]*\])$/, "");
  const accessor = (member[1] ?? "").replace(/\s/g, "");
  const last = /([\w$]+)["'\s\]]*$/.exec(path)?.[1] ?? "";
  return { text: `${head}.${accessor}.json${path}`, end: reference.end + member[0].length + path.length, last, each: accessor === "item" };
}

/** Puts another name in the references to a node. */
function renamed(source: string, from: string, to: string): string {
  let after = "";
  let done = 0;
  for (const { name, start, end, call } of referencesIn(source)) {
    if (name !== from) continue;
    const quote = JSON.stringify(to);
    const head = call ? `$(${quote})` : source.slice(start, end).startsWith("$node") ? `$node[${quote}]` : `$items(${quote}`;
    after += source.slice(done, start) + head;
    done = end;
  }
  return after + source.slice(done);
}

function following(edges: Edge[]): Map<string, string[]> {
  const next = new Map<string, string[]>();
  for (const edge of edges) next.set(edge.from, [...(next.get(edge.from) ?? []), edge.to]);
  return next;
}

/** What can be come to from a node; the node itself only through a loop. */
function reach(next: Map<string, string[]>, from: string): Set<string> {
  const found = new Set<string>();
  const pending = [...(next.get(from) ?? [])];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    pending.push(...(next.get(id) ?? []));
  }
  return found;
}

const distinct = (refusals: Refusal[]): Refusal[] => [...new Map(refusals.map((each) => [JSON.stringify(each), each])).values()];

const unique = (edges: Edge[]): Edge[] => [...new Map(edges.map((edge) => [JSON.stringify([edge.from, edge.kind, edge.output, edge.to, edge.input]), edge])).values()];

export const isRefused = (result: Extraction | Refusal[]): result is Refusal[] => Array.isArray(result);
