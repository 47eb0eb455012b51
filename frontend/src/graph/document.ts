/** A workflow as n8n JSON, and as the graph that the editor changes. Members that Weft doesn't know are kept. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Parameters = Record<string, unknown>;

export interface Item {
  json: Record<string, unknown>;
  binary?: Record<string, unknown>;
  pairedItem?: unknown;
  error?: unknown;
}

export type OnError = "stopWorkflow" | "continueRegularOutput" | "continueErrorOutput";

export interface CredentialReference {
  id: string;
  name: string;
}

/** One node as documents write it. `position` is [x, y] in the document's own units. */
export interface GraphNode {
  id: string;
  name: string;
  type: string;
  typeVersion: number;
  position: [number, number];
  parameters: Parameters;
  credentials?: Record<string, CredentialReference>;
  disabled?: boolean;
  notes?: string;
  notesInFlow?: boolean;
  onError?: OnError;
  continueOnFail?: boolean;
  retryOnFail?: boolean;
  maxTries?: number;
  waitBetweenTries?: number;
  alwaysOutputData?: boolean;
  executeOnce?: boolean;
  webhookId?: string;
}

export interface Target {
  node: string;
  type: string;
  index: number;
}

/** Node name to connection type to a list of targets per output. */
export type Connections = Record<string, Record<string, (Target[] | null)[]>>;

export interface WorkflowDocument {
  name?: string;
  nodes: GraphNode[];
  connections: Connections;
  settings?: Record<string, unknown>;
  pinData?: Record<string, Item[]>;
  nodeGroups?: DocumentGroup[];
  meta?: Record<string, unknown> | null;
}

/** A named group of nodes, by their ids. */
export interface DocumentGroup {
  id: string;
  name: string;
  nodeIds: string[];
}

/** `color`: 1 to 7. */
export interface Group extends DocumentGroup {
  color: number;
}

/** A connection between ports, by node ids. `output` and `input` count from 0 within their type. */
export interface Edge {
  from: string;
  output: number;
  to: string;
  input: number;
  /** `main`, or an `ai_…` kind where a sub-node serves another node. */
  kind: string;
  /** The kind at the target where it differs. */
  targetKind?: string;
}

/** What the editor changes. `pins` are by node name, as in documents. */
export interface Graph {
  name: string;
  nodes: Record<string, GraphNode>;
  edges: Edge[];
  settings: Record<string, unknown>;
  pins: Record<string, Item[]>;
  /** Missing where the document has none, so that nothing is written that was not there. */
  groups?: Group[];
  meta?: Record<string, unknown>;
}

export const STICKY_NOTE = "n8n-nodes-base.stickyNote";

export const edgeId = (edge: Edge): string => `${edge.from}/${edge.kind}/${edge.output}>${edge.to}/${edge.input}`;

/** Reads a document. Nodes without an id get one; connections to nodes that aren't there are left out. */
export function readDocument(document: WorkflowDocument): Graph {
  const nodes: Record<string, GraphNode> = {};
  const ids = new Map<string, string>();
  for (const given of document.nodes) {
    const id = given.id && !(given.id in nodes) ? given.id : crypto.randomUUID();
    nodes[id] = given.id === id ? given : { ...given, id };
    ids.set(given.name, id);
  }
  return {
    name: document.name ?? "",
    nodes,
    edges: readConnections(document.connections, ids),
    settings: document.settings ?? {},
    pins: document.pinData ?? {},
    ...(document.meta && { meta: document.meta }),
    ...(Array.isArray(document.nodeGroups) && { groups: readGroups(document.nodeGroups, document.meta) }),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function readGroups(given: unknown[], meta: WorkflowDocument["meta"]): Group[] {
  const weft = meta?.weft;
  const colours = isObject(weft) && isObject(weft.groupColors) ? weft.groupColors : {};
  return given.flatMap((group) => {
    if (!isObject(group) || typeof group.id !== "string" || !Array.isArray(group.nodeIds)) return [];
    const nodeIds = group.nodeIds.filter((id): id is string => typeof id === "string");
    const color = colours[group.id];
    return [{ ...group, id: group.id, name: typeof group.name === "string" ? group.name : "", nodeIds, color: typeof color === "number" ? color : 1 }];
  });
}

/** Groups as n8n has them; what it has not, their colours, in a corner of `meta` that it keeps. */
export function writeGroups({ groups, meta }: Pick<Graph, "groups" | "meta">): Pick<WorkflowDocument, "nodeGroups" | "meta"> {
  if (!groups) return meta ? { meta } : {};
  const weft = isObject(meta?.weft) ? meta.weft : {};
  const groupColors = Object.fromEntries(groups.map((group) => [group.id, group.color]));
  return { nodeGroups: groups.map((group) => Object.fromEntries(Object.entries(group).filter(([key]) => key !== "color")) as unknown as DocumentGroup), meta: { ...meta, weft: { ...weft, groupColors } } };
}

function readConnections(connections: Connections, ids: Map<string, string>): Edge[] {
  const edges: Edge[] = [];
  const seen = new Set<string>();
  for (const [name, kinds] of Object.entries(connections)) {
    const from = ids.get(name);
    if (from === undefined) continue;
    for (const [kind, outputs] of Object.entries(kinds)) {
      outputs.forEach((targets, output) => {
        for (const target of targets ?? []) {
          const to = ids.get(target.node);
          if (to === undefined) continue;
          const edge: Edge = { from, output, to, input: target.index, kind };
          if (target.type !== kind) edge.targetKind = target.type;
          if (seen.has(edgeId(edge))) continue;
          seen.add(edgeId(edge));
          edges.push(edge);
        }
      });
    }
  }
  return edges;
}

/** The document of a graph: every member that the editor owns. */
export function writeDocument(graph: Graph): WorkflowDocument & Required<Pick<WorkflowDocument, "name" | "settings" | "pinData">> {
  return {
    name: graph.name,
    nodes: Object.values(graph.nodes),
    connections: writeConnections(graph.nodes, graph.edges),
    settings: graph.settings,
    pinData: graph.pins,
    ...writeGroups(graph),
  };
}

export function writeConnections(nodes: Record<string, GraphNode>, edges: Edge[]): Connections {
  const connections: Connections = {};
  for (const edge of edges) {
    const from = nodes[edge.from];
    const to = nodes[edge.to];
    if (!from || !to) continue;
    const outputs = ((connections[from.name] ??= {})[edge.kind] ??= []);
    while (outputs.length <= edge.output) outputs.push([]);
    outputs[edge.output]?.push({ node: to.name, type: edge.targetKind ?? edge.kind, index: edge.input });
  }
  return connections;
}
