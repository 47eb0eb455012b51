import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ReactFlowProvider } from "@xyflow/react";
import { Plus } from "lucide-react";
import { useEffect, useState } from "react";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { api } from "../api/api";
import { t } from "../i18n";
import { NodeView } from "../nodeview/NodeView";
import { Failed } from "../ui/states";
import { Canvas } from "./Canvas";
import { Conflict } from "./Conflict";
import { ConnectDialog } from "./ConnectDialog";
import { useDefinitions } from "./definitions";
import { ExtractDialog } from "./ExtractDialog";
import { GroupDialog } from "./GroupDialog";
import { NodePanel } from "./NodePanel";
import { Palette } from "./Palette";
import { RenameDialog } from "./RenameDialog";
import { RunBar } from "./RunBar";
import { useAutosave } from "./saving";
import { useShortcuts } from "./shortcuts";
import { useLive } from "./running";
import { runOf } from "./runs";
import { createEditorStore, EditorContext, useEditor, useEditorStore } from "./store";
import { TopBar } from "./TopBar";

const NEW = "new";

/** The editor of one workflow; `new` is stored with its first change. */
export default function EditorPage() {
  const { id = NEW } = useParams();
  const [store] = useState(() => {
    const made = createEditorStore();
    made.getState().change((graph) => ({ ...graph, name: t("workflows.unnamed"), settings: { executionOrder: "v1" } }));
    made.setState({ saving: "saved", savedGraph: made.getState().history.graph, history: { ...made.getState().history, past: [] } });
    return made;
  });
  const known = () => store.getState().workflow?.id === id;
  const found = useQuery({ queryKey: ["workflow", id], queryFn: () => api.workflow(id), enabled: id !== NEW && !known(), staleTime: 0, gcTime: 0 });
  useEffect(() => {
    if (found.data && store.getState().workflow?.id !== found.data.id) store.getState().load(found.data);
  }, [found.data, store]);
  // an execution that is to be looked into: its data are there as after a run
  const shown = useSearchParams()[0].get("run");
  const looked = useQuery({ queryKey: ["execution", shown, "looked into"], queryFn: () => api.execution(shown ?? ""), enabled: shown !== null, gcTime: 0 });
  useEffect(() => {
    if (looked.data?.workflow_id === id) store.setState({ run: runOf(looked.data) });
  }, [looked.data, id, store]);
  if (found.isError) return <Failed error={found.error} onRetry={() => void found.refetch()} back={{ to: "/workflows", label: t("page.workflows") }} />;
  return (
    <EditorContext value={store}>
      <ReactFlowProvider>
        <Loaded expected={id} />
      </ReactFlowProvider>
    </EditorContext>
  );
}

function Loaded({ expected }: { expected: string }) {
  const stored = useEditor((state) => state.workflow?.id);
  const navigate = useNavigate();
  useEffect(() => {
    if (stored && expected === NEW) void navigate(`/workflows/${stored}`, { replace: true });
  }, [stored, expected, navigate]);
  if (!stored && expected !== NEW) return <div className="opening" role="status">{t("state.loading")}</div>;
  return <Workbench />;
}

function Workbench() {
  const queries = useQueryClient();
  const store = useEditorStore();
  const empty = useEditor((state) => Object.keys(state.history.graph.nodes).length === 0);
  const adding = useEditor((state) => state.adding !== null);
  const opened = useEditor((state) => state.opened);
  const palette = useEditor((state) => state.palette);
  const renaming = useEditor((state) => state.renaming);
  const connecting = useEditor((state) => state.connecting);
  const extracting = useEditor((state) => state.extracting);
  const naming = useEditor((state) => state.naming);
  useDefinitions();
  useAutosave(queries);
  useLive();
  useShortcuts();
  return (
    <div className="editor">
      <TopBar />
      <main className="stage" aria-label={t("editor.canvas")}>
        <Canvas />
        {empty && !adding && (
          <div className="first">
            <button className="first-step" onClick={() => store.setState({ adding: {} })}><span><Plus size={30} /></span>{t("editor.first")}</button>
            <p className="soft">{t("editor.firstText")}</p>
          </div>
        )}
        {!empty && <button className="add-node" aria-label={t("editor.add")} title={`${t("editor.add")} (N)`} onClick={() => store.setState({ adding: {} })}><Plus size={22} /></button>}
        <Conflict />
        <RunBar />
        {adding && <NodePanel />}
      </main>
      {opened && <NodeView key={opened} id={opened} />}
      {palette && <Palette />}
      {renaming && <RenameDialog id={renaming} />}
      {connecting && <ConnectDialog id={connecting} />}
      {extracting && <ExtractDialog />}
      {naming && <GroupDialog key={naming} id={naming} />}
    </div>
  );
}
