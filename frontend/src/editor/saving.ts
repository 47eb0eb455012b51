import type { QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "../api/api";
import { ApiError } from "../api/client";
import type { StoredWorkflow } from "../api/types";
import { writeDocument } from "../graph/document";
import { t } from "../i18n";
import { say, sayError } from "../ui/toast";
import { type EditorStore, useEditorStore } from "./store";

const PAUSE_MS = 800;
let running: Promise<boolean> = Promise.resolve(true);

/**
 * Saves the draft if it has changed; saves of one page follow one another. False where it could not be saved: then the
 * state says whether someone else has changed it (`conflict`) or the server did not answer (`failed`).
 */
export function save(store: EditorStore): Promise<boolean> {
  running = running.then(() => saveNow(store));
  return running;
}

/**
 * Saves over what someone else has stored. Theirs is kept as a version first, and mine as the next. `theirs`: the draft
 * that the user was shown; where it has changed again, or can't be kept, nothing is saved.
 */
export function saveOver(store: EditorStore, theirs: StoredWorkflow): Promise<boolean> {
  running = running.then(async () => {
    try {
      const kept = await api.keepVersion(theirs.id);
      const stored = await api.workflow(theirs.id);
      if (stored.version_id !== theirs.version_id) return false;
      if (!(await saveNow(store, theirs.version_id))) return false;
      await api.keepVersion(theirs.id);
      say(t("editor.keptMine", { version: kept.version }));
      return true;
    } catch (error) {
      if (error instanceof Error) sayError(error);
      return false;
    }
  });
  return running;
}

/** `over`: the other's draft that this one takes the place of. */
async function saveNow(store: EditorStore, over = ""): Promise<boolean> {
  const { workflow, history, savedGraph, saving, versionId } = store.getState();
  if (history.graph === savedGraph && workflow && !over) return true;
  if (saving === "conflict" && !over) return false;
  const graph = history.graph;
  store.setState({ saving: "saving" });
  try {
    const document = writeDocument(graph);
    const stored = workflow ? await api.saveWorkflow(workflow.id, document, over || versionId) : await api.createWorkflow(document);
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
