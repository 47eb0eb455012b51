import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import { STICKY_NOTE } from "../graph/document";
import { groupsAt } from "../graph/groups";
import { ALIGNMENTS } from "../graph/layout";
import { type Key, t } from "../i18n";
import { say } from "../ui/toast";
import { alignSelected, copySelected, disableSelected, distributeSelected, duplicateSelected, groupSelected, pasteText, removeSelected, selectAll, tidyUp, ungroupSelected } from "./actions";
import { portsFor } from "./definitions";
import { toggleChosen } from "./folding";
import { bringIn, fit } from "./fit";
import { toDocument } from "./geometry";
import { run } from "./running";
import { save } from "./saving";
import { type EditorStore, type Place, useEditorStore } from "./store";
import { walks } from "./walking";

export interface Action {
  key: Key;
  /** As written on keyboards; `Ctrl` is Cmd on a Mac. */
  keys: string;
  run: (store: EditorStore, flow: ReturnType<typeof useReactFlow>) => void;
  /** Not offered where this is false. */
  when?: (store: EditorStore) => boolean;
}

const chosen = (store: EditorStore) => store.getState().selection.length > 0 || store.getState().selectedEdges.length > 0;
const one = (store: EditorStore) => store.getState().selection.length === 1;
const several = (store: EditorStore) => store.getState().selection.length > 1;
const anyNode = (store: EditorStore) => store.getState().selection.length > 0;
const grouped = (store: EditorStore) => groupsAt(store.getState().history.graph, store.getState().selection).length > 0;
const first = (store: EditorStore) => store.getState().selection[0] ?? null;

/** A node is opened, a note is written. */
const openFirst = (store: EditorStore) => {
  const id = first(store);
  store.setState(store.getState().history.graph.nodes[id ?? ""]?.type === STICKY_NOTE ? { writing: id } : { opened: id });
};

/** Everything that can be done on the canvas, for shortcuts and for the command palette. */
export const ACTIONS: Action[] = [
  { key: "editor.add", keys: "N", run: (store) => store.setState({ adding: nextPlace(store) }) },
  { key: "editor.addNote", keys: "Shift+S", run: (store, flow) => addNote(store, flow) },
  { key: "action.run", keys: "Ctrl+Enter", run: (store) => void run(store) },
  { key: "editor.open", keys: "Enter", when: one, run: openFirst },
  { key: "editor.rename", keys: "F2", when: one, run: (store) => store.setState({ renaming: first(store) }) },
  { key: "editor.connect", keys: "C", when: one, run: (store) => store.setState({ connecting: first(store) }) },
  { key: "editor.replace", keys: "R", when: one, run: (store) => store.setState({ adding: { instead: first(store) ?? "" } }) },
  { key: "editor.group", keys: "Ctrl+G", when: anyNode, run: groupSelected },
  { key: "editor.ungroup", keys: "Ctrl+Shift+G", when: grouped, run: ungroupSelected },
  { key: "editor.fold", keys: "Shift+G", when: grouped, run: toggleChosen },
  { key: "editor.extract", keys: "Shift+X", when: anyNode, run: (store) => store.setState({ extracting: true }) },
  { key: "editor.disable", keys: "D", when: chosen, run: disableSelected },
  { key: "action.duplicate", keys: "Ctrl+D", when: chosen, run: duplicateSelected },
  { key: "action.copy", keys: "Ctrl+C", when: chosen, run: (store) => void navigator.clipboard.writeText(copySelected(store)).then(() => say(t("state.copied"))) },
  { key: "action.delete", keys: "Delete", when: chosen, run: removeSelected },
  { key: "editor.all", keys: "Ctrl+A", run: selectAll },
  { key: "editor.none", keys: "Escape", when: chosen, run: (store) => store.setState({ selection: [], selectedEdges: [] }) },
  { key: "action.undo", keys: "Ctrl+Z", run: (store) => store.getState().undo() },
  { key: "action.redo", keys: "Ctrl+Shift+Z", run: (store) => store.getState().redo() },
  { key: "editor.tidy", keys: "Shift+T", run: tidyUp },
  ...ALIGNMENTS.map((how): Action => ({ key: `align.${how}`, keys: "", when: several, run: (store) => alignSelected(store, how) })),
  { key: "align.acrossX", keys: "", when: several, run: (store) => distributeSelected(store, "x") },
  { key: "align.acrossY", keys: "", when: several, run: (store) => distributeSelected(store, "y") },
  { key: "editor.fit", keys: "1", run: (store, flow) => fit(store, flow) },
  { key: "editor.zoomWhole", keys: "0", run: (_, flow) => void flow.zoomTo(1, { duration: 120 }) },
  { key: "editor.zoomIn", keys: "+", run: (_, flow) => void flow.zoomIn({ duration: 120 }) },
  { key: "editor.zoomOut", keys: "-", run: (_, flow) => void flow.zoomOut({ duration: 120 }) },
  { key: "action.save", keys: "Ctrl+S", run: (store) => void save(store) },
  { key: "palette.title", keys: "Ctrl+K", run: (store) => store.setState({ palette: true }) },
];

/** After the one node that is chosen: on its first output that nothing hangs on, else on its first; else free. */
function nextPlace(store: EditorStore): Place {
  const { history: { graph }, definitions, selection } = store.getState();
  const node = selection.length === 1 ? graph.nodes[selection[0] ?? ""] : undefined;
  if (!node || node.type === STICKY_NOTE) return {};
  const outputs = portsFor(node, definitions[node.type]).outputs.map((_, output) => output);
  if (outputs.length === 0) return {};
  const taken = new Set(graph.edges.filter((edge) => edge.from === node.id && edge.kind === "main").map((edge) => edge.output));
  return { after: { node: node.id, output: outputs.find((output) => !taken.has(output)) ?? 0, kind: "main" } };
}

function addNote(store: EditorStore, flow: ReturnType<typeof useReactFlow>): void {
  const node = {
    id: crypto.randomUUID(),
    name: t("editor.note"),
    type: "n8n-nodes-base.stickyNote",
    typeVersion: 1,
    position: centre(flow),
    parameters: { content: t("editor.noteText"), height: 160, width: 240, color: 1 },
  };
  pasteText(store, JSON.stringify({ nodes: [node], connections: {} }), node.position);
}

function centre(flow: ReturnType<typeof useReactFlow>): [number, number] {
  const box = document.querySelector(".stage")?.getBoundingClientRect() ?? { left: 0, top: 0, width: 800, height: 600 };
  return toDocument(flow.screenToFlowPosition({ x: box.left + box.width / 2 - 100, y: box.top + box.height / 2 - 40 }));
}

const named = (event: KeyboardEvent): string => {
  const key = event.key === "Backspace" ? "Delete" : event.key === "y" && (event.ctrlKey || event.metaKey) ? "Shift+Z" : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const shift = event.shiftKey && !key.startsWith("Shift+") && /^[A-Z]$/.test(key) ? "Shift+" : "";
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${shift}${key}`;
};

/** Whether keys belong to something else: a field, a dialog, a menu. */
const busy = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("input, textarea, select, [contenteditable=true], dialog, [role=menu], .nodeview, .panel") !== null;

/** Keys and the clipboard of the canvas. */
export function useShortcuts(): void {
  const store = useEditorStore();
  const flow = useReactFlow();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const keys = named(event);
      const open = store.getState().opened !== null || store.getState().palette;
      if (open || (busy(event.target) && keys !== "Ctrl+K" && keys !== "Ctrl+S")) return;
      if (keys === "Ctrl+C" || (keys === "Enter" && (event.target instanceof HTMLButtonElement || event.target instanceof HTMLAnchorElement))) return;
      if (walks(event, store, flow)) {
        event.preventDefault();
        return;
      }
      const action = ACTIONS.find((each) => each.keys === keys);
      if (!action || action.when?.(store) === false) return;
      event.preventDefault();
      action.run(store, flow);
    };
    const copied = (event: ClipboardEvent) => {
      if (busy(event.target) || store.getState().opened || store.getState().selection.length === 0 || document.getSelection()?.toString()) return;
      event.clipboardData?.setData("text/plain", copySelected(store));
      event.preventDefault();
      if (event.type === "cut") removeSelected(store);
    };
    const pasted = (event: ClipboardEvent) => {
      if (busy(event.target) || store.getState().opened) return;
      event.preventDefault();
      if (pasteText(store, event.clipboardData?.getData("text/plain") ?? "", centre(flow))) bringIn(store, flow, store.getState().selection);
    };
    document.addEventListener("keydown", press);
    document.addEventListener("copy", copied);
    document.addEventListener("cut", copied);
    document.addEventListener("paste", pasted);
    return () => {
      document.removeEventListener("keydown", press);
      document.removeEventListener("copy", copied);
      document.removeEventListener("cut", copied);
      document.removeEventListener("paste", pasted);
    };
  }, [store, flow]);
}
