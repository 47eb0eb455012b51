import { useReactFlow } from "@xyflow/react";
import { type Key, t } from "../i18n";
import { type MenuEntry, PointMenu } from "../ui/Menu";
import { disconnect } from "../graph/commands";
import { type Edge, edgeId, STICKY_NOTE } from "../graph/document";
import { ACTIONS, type Action } from "./shortcuts";
import { type EditorStore, useEditorStore } from "./store";

/** What was pressed with the right button, and where on the screen. `edge`: on a connection; else what is chosen is meant. */
export interface Pressed {
  x: number;
  y: number;
  edge?: Edge;
}

/** Entries for what is chosen, and where nothing is, for the canvas; null draws a line. */
const CHOSEN: (Key | null)[] = ["editor.open", "editor.rename", "editor.connect", "editor.replace", null, "editor.disable", "action.duplicate", "action.copy", null, "editor.group", "editor.ungroup", "editor.fold", "editor.extract", "editor.tidy", null, "action.delete"];
const CANVAS: (Key | null)[] = ["editor.add", "editor.addNote", null, "action.undo", "action.redo", null, "editor.all", "editor.tidy", "editor.fit"];
const FOR_READERS: ReadonlySet<Key> = new Set<Key>(["editor.open", "action.copy", "editor.all", "editor.fit"]);
/** What makes no sense for notes alone. */
const NOT_NOTES: ReadonlySet<Key> = new Set<Key>(["editor.connect", "editor.replace", "editor.disable", "editor.extract", "editor.tidy"]);

function offered({ key, when }: Action, store: EditorStore): boolean {
  const { readOnly, selection, history } = store.getState();
  const notes = selection.length > 0 && selection.every((id) => history.graph.nodes[id]?.type === STICKY_NOTE);
  if (readOnly && !FOR_READERS.has(key)) return false;
  if (notes && NOT_NOTES.has(key)) return false;
  if (key === "editor.tidy" && selection.length === 1) return false; // it would tidy everything
  return when?.(store) !== false;
}

/** No line at an end, or beside another. */
const lined = (entries: (MenuEntry | null)[]): (MenuEntry | null)[] =>
  entries.filter((entry, index) => entry !== null || (entries.slice(0, index).some(Boolean) && entries[index + 1] != null));

/** What can be done with what is under the pointer. */
export function CanvasMenu({ pressed, onClose }: { pressed: Pressed; onClose: () => void }) {
  const store = useEditorStore();
  const flow = useReactFlow();
  const { edge } = pressed;
  const keys = store.getState().selection.length > 0 ? CHOSEN : CANVAS;
  const actions = keys.map((key): MenuEntry | null | undefined => {
    const action = ACTIONS.find((each) => each.key === key);
    if (!action) return null;
    return offered(action, store) ? { label: t(action.key), keys: action.keys, bad: key === "action.delete", onSelect: () => action.run(store, flow) } : undefined;
  });
  const onEdge: MenuEntry[] = edge
    ? [
        ...(edge.kind === "main" ? [{ label: t("editor.insert"), onSelect: () => store.setState({ adding: { edge } }) }] : []),
        { label: t("editor.disconnect"), bad: true, onSelect: () => store.getState().change(disconnect([edgeId(edge)])) },
      ]
    : [];
  return <PointMenu x={pressed.x} y={pressed.y} label={t("editor.actions")} entries={edge ? onEdge : lined(actions.filter((entry) => entry !== undefined))} onClose={onClose} />;
}
