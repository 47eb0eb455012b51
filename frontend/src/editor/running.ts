import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, documentOf, type Run as RunOptions } from "../api/api";
import type { ExecutionData } from "../api/types";
import { type Item, readDocument } from "../graph/document";
import { linked } from "../graph/reach";
import { stale } from "../graph/stale";
import { t } from "../i18n";
import { listen } from "../live/socket";
import { say, sayError } from "../ui/toast";
import { bePresent } from "./presence";
import { begun, follow, runOf } from "./runs";
import { reload, save } from "./saving";
import { type EditorStore, useEditor, useEditorStore } from "./store";

/** Kinds of triggers that a call starts. */
export const LISTENERS: ReadonlySet<string> = new Set(["webhook", "form", "chat"]);
const FINAL = new Set(["success", "error", "cancelled"]);
/** How often a run is asked for while it goes on. Its events are told once, after the commit: what an orchestrator that ended
 * between the two had stored, nobody tells. */
const UNHEARD_MS = 5000;

/** Saves and runs the draft. */
export async function run(store: EditorStore, options: RunOptions | (() => Promise<RunOptions>) = {}): Promise<void> {
  if (!(await save(store))) return;
  const id = store.getState().workflow?.id;
  if (!id) return;
  try {
    const execution = await api.execute(id, typeof options === "function" ? await options() : options);
    store.setState({ run: begun(execution.id) });
  } catch (error) {
    if (error instanceof Error) sayError(error);
  }
}

/** What nodes gave in an execution and would give again: of those that succeeded in all their runs, have not been changed since,
 * nor anything before them, and that `wanted` says. */
async function given(store: EditorStore, data: ExecutionData | undefined, wanted: (name: string) => boolean): Promise<RunOptions> {
  if (!data) return {};
  const ran = await documentOf(data);
  if (!ran) return {}; // nobody knows what has changed since
  const old = stale(readDocument(ran), store.getState().history.graph);
  const run_data: Record<string, Item[][][]> = {};
  for (const [name, runs] of Object.entries(data.node_data ?? {})) {
    const stands = runs.length > 0 && runs.every((each) => each.status === "success");
    if (stands && wanted(name) && !old.has(name)) run_data[name] = runs.map((each) => each.outputs ?? []);
  }
  return Object.keys(run_data).length > 0 ? { run_data } : {};
}

/** Runs one node with what the nodes before it gave last; nodes without such data run too. */
export function runNode(store: EditorStore, name: string, data: ExecutionData | undefined): Promise<void> {
  const before = linked(store.getState().history.graph, name, "before");
  return run(store, async () => ({ destination_node: name, ...(await given(store, data, (each) => before.has(each))) }));
}

/** Runs a node and what follows it, with what all others gave last: an execution goes on where it has failed. */
export function runFrom(store: EditorStore, name: string, data: ExecutionData | undefined): Promise<void> {
  const after = linked(store.getState().history.graph, name, "after");
  return run(store, () => given(store, data, (each) => each !== name && !after.has(each)));
}

/** Waits for one call of the draft's test addresses, or stops waiting. */
export async function toggleListening(store: EditorStore): Promise<void> {
  try {
    if (store.getState().listening) {
      store.setState({ listening: false });
      const id = store.getState().workflow?.id;
      if (id) await api.stopListening(id);
      return;
    }
    if (!(await save(store))) return;
    const id = store.getState().workflow?.id;
    if (!id) return;
    await api.listen(id);
    store.setState({ listening: true });
  } catch (error) {
    store.setState({ listening: false });
    if (error instanceof Error) sayError(error);
  }
}

/** Follows the run of the store, and the workflow: test calls that come in, changes by others. */
export function useLive(): void {
  const store = useEditorStore();
  const queries = useQueryClient();
  const workflow = useEditor((state) => state.workflow?.id);
  const execution = useEditor((state) => state.run?.id);
  const watched = useEditor((state) => state.run !== null && !FINAL.has(state.run.status));

  useEffect(() => {
    if (!execution || !watched) return;
    return listen([{ execution_id: execution }], (frame) => {
      const { run: known } = store.getState();
      if (!known) return;
      const next = follow(known, frame);
      if (next !== known) store.setState({ run: next });
      if (frame.type === "execution.completed") void queries.invalidateQueries({ queryKey: ["execution", execution] });
    });
  }, [execution, watched, store, queries]);

  useEffect(() => {
    if (!workflow || store.getState().readOnly) return;
    const presence = bePresent(store, workflow);
    const end = listen([{ workflow_id: workflow }], (frame) => {
      presence.hear(frame);
      if (frame.type === "webhook.test.received" && frame.data.execution_id) {
        store.setState({ listening: false, run: begun(frame.data.execution_id) });
      }
      if (frame.type === "workflow.updated") void takeOver(store, workflow);
    }, presence.open);
    return () => {
      presence.end();
      end();
    };
  }, [workflow, store]);
}

/** Takes a change that someone else has stored, where nothing is unsaved here. */
async function takeOver(store: EditorStore, id: string): Promise<void> {
  if (store.getState().saving !== "saved") return;
  const stored = await api.workflow(id);
  const { saving, versionId } = store.getState();
  if (saving !== "saved" || stored.version_id === versionId) return;
  await reload(store);
  say(t("editor.takenOver"));
}

/** The data of the run that the canvas shows; fetched again when it has ended. */
export function useRunData(): ExecutionData | undefined {
  const store = useEditorStore();
  const id = useEditor((state) => state.run?.id);
  const over = useEditor((state) => state.run !== null && FINAL.has(state.run.status));
  const steps = useEditor((state) => (over || !state.opened ? 0 : Object.values(state.run?.nodes ?? {}).filter((node) => node.status !== "running").length));
  const found = useQuery({
    queryKey: ["execution", id, over, steps],
    queryFn: () => api.execution(id ?? ""),
    enabled: id !== undefined,
    placeholderData: (before, query) => (query?.queryKey[1] === id ? before : undefined),
    staleTime: over ? Infinity : 0,
    refetchInterval: over ? false : UNHEARD_MS,
  });
  useEffect(() => {
    // where the end's event was missed (a dropped connection), the stored execution tells
    if (found.data && FINAL.has(found.data.status) && store.getState().run?.id === found.data.id) store.setState({ run: runOf(found.data) });
  }, [found.data, store]);
  return found.data;
}
