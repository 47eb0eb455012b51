import type { QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "../api/api";
import { ApiError } from "../api/client";
import { writeDocument } from "../graph/document";
import { sayError } from "../ui/toast";
import { type EditorStore, useEditorStore } from "./store";

const PAUSE_MS = 800;
let running: Promise<boolean> = Promise.resolve(true);

/**
 * Saves the draft if it has changed; saves of one page follow one another. False where it could not be saved: then the
 * state says whether someone else has changed it (`conflict`) or the server did not answer (`failed`).
 */
export function save(store: EditorStore, force = false): Promise<boolean> {
  running = running.then(() => saveNow(store, force));
  return running;
}

async function saveNow(store: EditorStore, force: boolean): Promise<boolean> {
  const { workflow, history, savedGraph, saving, versionId } = store.getState();
  if (history.graph === savedGraph && workflow && !force) return true;
  if (saving === "conflict" && !force) return false;
  const graph = history.graph;
  store.setState({ saving: "saving" });
  try {
    const document = writeDocument(graph);
    const stored = workflow ? await api.saveWorkflow(workflow.id, document, force ? "" : versionId) : await api.createWorkflow(document);
    store.setState({ workflow: stored, savedGraph: graph, versionId: stored.version_id, saving: store.getState().history.graph === graph ? "saved" : "dirty" });
    return true;
  } catch (error) {
    const conflict = error instanceof ApiError && error.status === 409;
    store.setState({ saving: conflict ? "conflict" : "failed" });
    if (!conflict && error instanceof Error) sayError(error);
    return false;
  }
}

/** Takes the stored workflow; undo brings back what was shown before. */
export async function reload(store: EditorStore): Promise<void> {
  const id = store.getState().workflow?.id;
  if (id) store.getState().load(await api.workflow(id), true);
}

/** Saves a moment after the last change, and before the page goes. */
export function useAutosave(queries: QueryClient): void {
  const store = useEditorStore();
  useEffect(() => {
    if (store.getState().readOnly) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = store.subscribe((state, before) => {
      if (state.saving !== "dirty" || (state.history === before.history && before.saving === "dirty")) return;
      clearTimeout(timer);
      timer = setTimeout(() => void save(store), PAUSE_MS);
    });
    const leaving = (event: BeforeUnloadEvent) => {
      if (["dirty", "saving", "conflict", "failed"].includes(store.getState().saving)) event.preventDefault();
    };
    window.addEventListener("beforeunload", leaving);
    return () => {
      unsubscribe();
      clearTimeout(timer);
      window.removeEventListener("beforeunload", leaving);
      const last = store.getState().saving === "dirty" ? save(store) : running;
      void last.then(() => queries.invalidateQueries({ queryKey: ["workflows"] }));
    };
  }, [store, queries]);
}
