import { type Command, freeNames, names } from "./commands";
import { type Graph, type GraphNode, readDocument, type WorkflowDocument, writeConnections, writeGroups } from "./document";
import { groupsOf } from "./groups";
import { renameInParameters } from "./rename";

/** The chosen nodes and the connections among them as n8n JSON. */
export function copy(graph: Graph, ids: readonly string[]): string {
  const chosen = new Set(ids);
  const nodes = Object.fromEntries(Object.entries(graph.nodes).filter(([id]) => chosen.has(id)));
  const edges = graph.edges.filter((edge) => chosen.has(edge.from) && chosen.has(edge.to));
  const named = new Set(Object.values(nodes).map((node) => node.name));
  const pins = Object.fromEntries(Object.entries(graph.pins).filter(([name]) => named.has(name)));
  const groups = groupsOf(graph).filter((group) => group.nodeIds.every((id) => chosen.has(id)));
  const document: WorkflowDocument = { nodes: Object.values(nodes), connections: writeConnections(nodes, edges), pinData: pins, ...(groups.length > 0 && writeGroups({ groups })) };
  return JSON.stringify(document, null, 2);
}

/** A workflow document in a text, or null where the text is none. */
export function readClipboard(text: string): WorkflowDocument | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null || !("nodes" in parsed) || !Array.isArray(parsed.nodes)) return null;
  const nodes: unknown[] = parsed.nodes;
  if (nodes.length === 0 || !nodes.every(isNode)) return null;
  const { connections, pinData, nodeGroups, meta } = parsed as Partial<WorkflowDocument>;
  return { nodes: nodes.map(completed), connections: connections ?? {}, pinData: pinData ?? {}, ...(nodeGroups && { nodeGroups, meta: meta ?? null }) };
}

function isNode(value: unknown): value is GraphNode {
  if (typeof value !== "object" || value === null) return false;
  const node = value as Partial<GraphNode>;
  return typeof node.name === "string" && typeof node.type === "string" && Array.isArray(node.position);
}

/** What hand-written documents leave out. */
const completed = (node: GraphNode): GraphNode => ({ ...{ id: "", typeVersion: 1, parameters: {} }, ...node });

/**
 * Adds a document's nodes under fresh ids and free names, with their top left at `at`; expressions among them follow
 * the new names. Returns the command and the ids that it adds.
 */
export function paste(document: WorkflowDocument, graph: Graph, at: [number, number]): { command: Command; ids: string[] } {
  const given = readDocument(document);
  const nodes = Object.values(given.nodes);
  const left = Math.min(...nodes.map((node) => node.position[0]));
  const top = Math.min(...nodes.map((node) => node.position[1]));
  const free = freeNames(names(graph));
  const ids = new Map(nodes.map((node) => [node.id, crypto.randomUUID()]));
  const named = new Map(nodes.map((node) => [node.name, free(node.name)]));
  const renames = new Map([...named].filter(([from, to]) => from !== to));
  const added = nodes.map((node): GraphNode => {
    const position: [number, number] = [node.position[0] - left + at[0], node.position[1] - top + at[1]];
    return { ...node, id: ids.get(node.id) ?? node.id, name: named.get(node.name) ?? node.name, position, parameters: renameInParameters(node.parameters, renames) };
  });
  const edges = given.edges.map((edge) => ({ ...edge, from: ids.get(edge.from) ?? "", to: ids.get(edge.to) ?? "" }));
  const pins = Object.fromEntries([...named].flatMap(([from, to]) => (given.pins[from] ? [[to, given.pins[from]] as const] : [])));
  const groups = groupsOf(given).map((group) => ({ ...group, id: crypto.randomUUID(), nodeIds: group.nodeIds.flatMap((id) => ids.get(id) ?? []) }));
  const command: Command = (before) => ({
    ...before,
    nodes: { ...before.nodes, ...Object.fromEntries(added.map((node) => [node.id, node])) },
    edges: [...before.edges, ...edges],
    pins: { ...before.pins, ...pins },
    ...(groups.length > 0 && { groups: [...(before.groups ?? []), ...groups] }),
  });
  return { command, ids: added.map((node) => node.id) };
}
