import type { Graph } from "../graph/document";
import { FOLDED, foldedGraph, groupsAt, groupsOf } from "../graph/groups";
import type { EditorState, EditorStore } from "./store";

/** Which groups are folded is this browser's own, as in n8n: it is no change of the workflow. */
const STORED = "weft.folded";
/** Workflows that are remembered. */
const MOST = 100;

/** The graph as the canvas shows it. */
export const shownGraph = (state: EditorState): Graph => foldedGraph(state.history.graph, state.folded);

function remembered(): Record<string, string[]> {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "{}") as Record<string, string[]>;
  } catch {
    return {};
  }
}

export const readFolded = (workflow: string): ReadonlySet<string> => new Set(remembered()[workflow] ?? []);

function setFolded(store: EditorStore, folded: ReadonlySet<string>): void {
  store.setState({ folded });
  const id = store.getState().workflow?.id;
  if (!id) return;
  const others = Object.entries(remembered()).filter(([workflow]) => workflow !== id);
  const all = folded.size > 0 ? [...others, [id, [...folded]] as const] : others;
  localStorage.setItem(STORED, JSON.stringify(Object.fromEntries(all.slice(-MOST))));
}

export function toggleFold(store: EditorStore, group: string): void {
  const folded = new Set(store.getState().folded);
  if (!folded.delete(group)) folded.add(group);
  setFolded(store, folded);
}

/** Folds the groups of the chosen nodes, or unfolds them where all of them are folded. */
export function toggleChosen(store: EditorStore): void {
  const { history, selection, folded } = store.getState();
  const ids = groupsAt(history.graph, selection).map((group) => group.id);
  const unfold = ids.every((id) => folded.has(id));
  setFolded(store, new Set([...[...folded].filter((id) => !ids.includes(id)), ...(unfold ? [] : ids)]));
}

/** Unfolds what hides a node. */
export function reveal(store: EditorStore, node: string): void {
  const { history, folded } = store.getState();
  const hiding = groupsOf(history.graph).find((group) => folded.has(group.id) && group.nodeIds.includes(node));
  if (hiding) toggleFold(store, hiding.id);
}

/** What is selected on the canvas: the chosen nodes, and the faces of folded groups whose nodes are all chosen. */
export function chosenFaces(shown: Graph, real: Graph, selection: readonly string[]): Set<string> {
  const chosen = new Set(selection);
  if (shown === real) return chosen;
  for (const node of Object.values(shown.nodes)) {
    if (node.type !== FOLDED) continue;
    const group = groupsOf(real).find((each) => node.id.endsWith(each.id));
    if (group?.nodeIds.every((id) => chosen.has(id))) chosen.add(node.id);
  }
  return chosen;
}
