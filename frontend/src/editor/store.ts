import { createContext, useContext } from "react";
import { createStore, type StoreApi, useStore } from "zustand";
import type { ExecutionStatus, NodeError, NodeStatus, StoredWorkflow } from "../api/types";
import type { NodeDefinition } from "../forms/definition";
import type { Command } from "../graph/commands";
import { type Edge, type Graph, readDocument } from "../graph/document";
import { apply, begin, type History, redo, undo } from "../graph/history";
import { readFolded } from "./folding";
import type { Other } from "./presence";

export type Saving = "saved" | "dirty" | "saving" | "conflict" | "failed";

/** What one node did in the execution that the canvas shows. `each`: items per output, of each of its runs; `counts`: of all. */
export interface NodeState {
  status: NodeStatus;
  runs: number;
  each: number[][];
  counts: number[];
  error: NodeError | null;
}

export interface Run {
  id: string;
  status: ExecutionStatus;
  nodes: Record<string, NodeState>;
  error: NodeError | null;
}

/** Where the next node of the panel goes: after an output, into an edge, instead of a node, or free. `at`: document units. */
export interface Place {
  after?: { node: string; output: number; kind: string };
  edge?: Edge;
  instead?: string;
  at?: [number, number];
}

interface DocumentSlice {
  workflow: StoredWorkflow | null;
  history: History;
  savedGraph: Graph;
  versionId: string;
  saving: Saving;
  readOnly: boolean;
  /** Shows a stored workflow. `undoable`: as a change of the one that is shown, which undo brings back. */
  load: (workflow: StoredWorkflow, undoable?: boolean) => void;
  change: (command: Command, tag?: string) => void;
  undo: () => void;
  redo: () => void;
}

interface ViewSlice {
  selection: string[];
  selectedEdges: string[];
  opened: string | null;
  adding: Place | null;
  palette: boolean;
  renaming: string | null;
  /** The node whose connections are chosen in a dialog. */
  connecting: string | null;
  /** The node that takes the keyboard's focus as soon as it is an element. */
  focusing: string | null;
  extracting: boolean;
  /** The group whose name and colour are asked for. */
  naming: string | null;
  /** The note that is being written. */
  writing: string | null;
  /** Ids of folded groups. */
  folded: ReadonlySet<string>;
  /** Who else has the workflow open. */
  others: Other[];
}

interface RunSlice {
  run: Run | null;
  listening: boolean;
}

interface CatalogueSlice {
  definitions: Record<string, NodeDefinition | null>;
}

export type EditorState = DocumentSlice & ViewSlice & RunSlice & CatalogueSlice;
export type EditorStore = StoreApi<EditorState>;

const EMPTY: Graph = { name: "", nodes: {}, edges: [], settings: {}, pins: {} };

export const createEditorStore = (readOnly = false): EditorStore =>
  createStore<EditorState>()((set, get) => {
    const turn = (history: History) => {
      if (history === get().history) return;
      const { nodes } = history.graph;
      const held = (ids: string[]) => ids.filter((id) => id in nodes);
      const opened = get().opened;
      set({
        history,
        saving: get().saving === "conflict" ? "conflict" : history.graph === get().savedGraph ? "saved" : "dirty",
        selection: held(get().selection),
        opened: opened && opened in nodes ? opened : null,
      });
    };
    return {
      workflow: null,
      history: begin(EMPTY),
      savedGraph: EMPTY,
      versionId: "",
      saving: "saved",
      readOnly,
      selection: [],
      selectedEdges: [],
      opened: null,
      adding: null,
      palette: false,
      renaming: null,
      connecting: null,
      focusing: null,
      extracting: false,
      naming: null,
      writing: null,
      folded: new Set<string>(),
      others: [],
      run: null,
      listening: false,
      definitions: {},
      load: (workflow, undoable = false) => {
        const graph = readDocument(workflow);
        const history = undoable ? apply(get().history, () => graph) : begin(graph);
        if (workflow.id !== get().workflow?.id) set({ folded: readFolded(workflow.id) });
        set({ workflow, versionId: workflow.version_id, savedGraph: history.graph, saving: "saved" });
        turn(history);
        set({ saving: "saved" });
      },
      change: (command, tag) => {
        if (!get().readOnly) turn(apply(get().history, command, tag));
      },
      undo: () => turn(undo(get().history)),
      redo: () => turn(redo(get().history)),
    };
  });

export const EditorContext = createContext<EditorStore | null>(null);

/** The store of the canvas around. Throws where there is none. */
export function useEditorStore(): EditorStore {
  const store = useContext(EditorContext);
  if (!store) throw new Error("outside of an editor");
  return store;
}

export const useEditor = <Value>(selector: (state: EditorState) => Value): Value => useStore(useEditorStore(), selector);
