import { api } from "../api/api";
import type { NodeSummary } from "../forms/definition";
import { addNode, type Command, connect, insertOnEdge, moveNodes, removeAndJoin, removeNodes, replaceNode, toggleDisabled, disconnect } from "../graph/commands";
import { copy, paste, readClipboard } from "../graph/clipboard";
import { type Graph, type GraphNode, STICKY_NOTE } from "../graph/document";
import { groupNodes, groupsAt, ungroup } from "../graph/groups";
import { align, type Alignment, distribute, type Size, tidy } from "../graph/layout";
import { t } from "../i18n";
import { say, sayError } from "../ui/toast";
import { portsFor } from "./definitions";
import { noteSize, sizeInDocument, STRETCH } from "./geometry";
import { sceneOf } from "./scene";
import type { EditorStore, Place } from "./store";
import { walk } from "./walking";

const STEP = 240;
const BELOW = 110;

const graphOf = (store: EditorStore): Graph => store.getState().history.graph;

/** A new node of a type with nothing set. A webhook gets the id that its address may be made of. */
export function newNode(type: NodeSummary, position: [number, number]): GraphNode {
  const node: GraphNode = { id: crypto.randomUUID(), name: type.display_name, type: type.aliases[0] ?? type.type, typeVersion: type.default_version, position, parameters: {} };
  if (type.trigger === "webhook" || type.trigger === "form" || type.trigger === "chat") {
    node.webhookId = crypto.randomUUID();
    if (type.trigger === "webhook") node.parameters = { path: node.webhookId, options: {} };
  }
  return node;
}

/** The first place at or below a point that no node covers. */
function freePlace(graph: Graph, [x, y]: [number, number]): [number, number] {
  const covered = (top: number) =>
    Object.values(graph.nodes).some((node) => node.type !== STICKY_NOTE && Math.abs(node.position[0] - x) < STEP - 40 && Math.abs(node.position[1] - top) < BELOW - 20);
  let top = y;
  while (covered(top)) top += BELOW;
  return [x, top];
}

/** Adds a node where the panel was asked for one, connects it, and selects it. `centre`: free places start there. */
export function addAt(store: EditorStore, type: NodeSummary, place: Place, centre: [number, number]): void {
  const graph = graphOf(store);
  const { after, edge, instead } = place;
  if (instead !== undefined) {
    void replaceBy(store, type, instead);
    return;
  }
  let command: Command;
  let node: GraphNode;
  if (edge) {
    const [left, right] = [graph.nodes[edge.from], graph.nodes[edge.to]];
    const [x, y] = left?.position ?? centre;
    node = newNode(type, [x + STEP, right && left && right.position[0] > left.position[0] ? Math.round((y + right.position[1]) / 2) : y]);
    const room = makeRoom(graph, edge.from, edge.to);
    command = (before) => insertOnEdge(edge, node)(room(before));
  } else if (after) {
    const from = graph.nodes[after.node]?.position ?? centre;
    const outputs = graph.edges.filter((each) => each.from === after.node).length;
    node = newNode(type, place.at ?? freePlace(graph, [from[0] + STEP, from[1] + outputs * BELOW * (outputs > 0 ? 1 : 0)]));
    command = (before) => {
      const added = addNode(node)(before);
      return type.trigger ? added : connect({ from: after.node, output: after.output, to: node.id, input: 0, kind: after.kind })(added);
    };
  } else {
    node = newNode(type, place.at ?? freePlace(graph, centre));
    command = addNode(node);
  }
  store.getState().change(command);
  store.setState({ adding: null, selection: [node.id], selectedEdges: [], opened: type.aliases.includes(STICKY_NOTE) || place.at ? null : node.id });
}

/** Moves what lies right of an edge's target, so that a node fits between the ends. */
function makeRoom(graph: Graph, from: string, to: string): Command {
  const [left, right] = [graph.nodes[from], graph.nodes[to]];
  if (!left || !right) return (same) => same;
  const gap = right.position[0] - left.position[0];
  if (gap <= 0 || gap >= 2 * STEP - 20) return (same) => same;
  const by = 2 * STEP - gap;
  const moved = Object.values(graph.nodes).filter((node) => node.position[0] >= right.position[0] && node.id !== from);
  return moveNodes(new Map(moved.map((node) => [node.id, [node.position[0] + by, node.position[1]]])));
}

export function removeSelected(store: EditorStore): void {
  const { selection, selectedEdges, change } = store.getState();
  const only = selection.length === 1 ? selection[0] : undefined;
  const graph = graphOf(store);
  const focused = document.activeElement?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
  const beside = focused && only === focused ? walk(graph, sceneOf(graph, store.getState().definitions), only, "left") : null;
  change((before) => disconnect(selectedEdges)(only ? removeAndJoin(only)(before) : removeNodes(selection)(before)));
  // who works by keyboard goes on at the node before
  const next = beside && beside in graphOf(store).nodes ? beside : null;
  store.setState({ selection: next ? [next] : [], selectedEdges: [], focusing: next });
}

export const disableSelected = (store: EditorStore): void => store.getState().change(toggleDisabled(store.getState().selection));

export const copySelected = (store: EditorStore): string => copy(graphOf(store), store.getState().selection);

const OFFSET = 60;

/** Pastes n8n JSON; says so where the text is none. Returns whether something was added. */
export function pasteText(store: EditorStore, text: string, at: [number, number]): boolean {
  const document = readClipboard(text);
  if (!document) {
    say(t("editor.pasteNothing"), { bad: true });
    return false;
  }
  const { command, ids } = paste(document, graphOf(store), at);
  store.getState().change(command);
  store.setState({ selection: ids, selectedEdges: [] });
  return true;
}

export function duplicateSelected(store: EditorStore): void {
  const { selection } = store.getState();
  const nodes = selection.flatMap((id) => graphOf(store).nodes[id] ?? []);
  if (nodes.length === 0) return;
  const corner: [number, number] = [Math.min(...nodes.map((node) => node.position[0])) + OFFSET, Math.min(...nodes.map((node) => node.position[1])) + OFFSET];
  pasteText(store, copySelected(store), corner);
}

export const selectAll = (store: EditorStore): void => store.setState({ selection: Object.keys(graphOf(store).nodes) });

/** The size of a node on the canvas, in the document's units. */
function sizesOf(store: EditorStore): (id: string) => Size {
  const { definitions } = store.getState();
  const { nodes } = graphOf(store);
  return (id) => {
    const node = nodes[id];
    if (!node) return { width: 0, height: 0 };
    if (node.type === STICKY_NOTE) return { width: noteSize(node).width / STRETCH, height: noteSize(node).height };
    return sizeInDocument(portsFor(node, definitions[node.type]));
  };
}

export const tidyUp = (store: EditorStore): void => store.getState().change(tidy(graphOf(store), store.getState().selection, sizesOf(store)));

export const alignSelected = (store: EditorStore, how: Alignment): void =>
  store.getState().change(align(graphOf(store), store.getState().selection, how, sizesOf(store)));

export const distributeSelected = (store: EditorStore, axis: "x" | "y"): void =>
  store.getState().change(distribute(graphOf(store), store.getState().selection, axis, sizesOf(store)));

/** Puts a node of a type in another's place; its connections stay where the type has such ports. */
export async function replaceBy(store: EditorStore, type: NodeSummary, id: string): Promise<void> {
  store.setState({ adding: null });
  const old = graphOf(store).nodes[id];
  if (!old) return;
  const node = newNode(type, old.position);
  try {
    const definition = store.getState().definitions[node.type] ?? (await api.node(type.type));
    const named = store.getState().definitions[old.type]?.display_name ?? old.name;
    store.setState(({ definitions }) => ({ definitions: { ...definitions, [node.type]: definition } }));
    store.getState().change(replaceNode(id, node, named, portsFor(node, definition)));
    store.setState({ selection: [id], opened: id });
  } catch (error) {
    if (error instanceof Error) sayError(error);
  }
}

/** Makes a group of the chosen nodes, and asks for its name. */
export function groupSelected(store: EditorStore): void {
  const { selection, change } = store.getState();
  const id = crypto.randomUUID();
  change(groupNodes(id, t("group.unnamed"), selection));
  store.setState({ naming: id });
}

export const ungroupSelected = (store: EditorStore): void =>
  store.getState().change(ungroup(groupsAt(graphOf(store), store.getState().selection).map((group) => group.id)));
