import { useMutation, useQuery } from "@tanstack/react-query";
import { ReactFlowProvider } from "@xyflow/react";
import { ArrowLeft, CircleStop, PencilRuler, RotateCcw } from "lucide-react";
import { useEffect, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api, documentOf } from "../api/api";
import type { ExecutionData, StoredWorkflow } from "../api/types";
import { Canvas } from "../editor/Canvas";
import { useDefinitions } from "../editor/definitions";
import { useLive, useRunData } from "../editor/running";
import { runOf } from "../editor/runs";
import { createEditorStore, EditorContext, useEditor, useEditorStore } from "../editor/store";
import { named, t } from "../i18n";
import { NodeView } from "../nodeview/NodeView";
import { duration, when } from "../shell/format";
import { Menu } from "../ui/Menu";
import { Failed, Status } from "../ui/states";
import { sayError } from "../ui/toast";
import { CustomData } from "./CustomData";
import { Timeline } from "./Timeline";

/** An execution on the canvas as it was: the version that ran, with each node's data. */
export default function ExecutionPage() {
  const { id = "" } = useParams();
  const found = useQuery({ queryKey: ["shown execution", id], queryFn: () => loadRun(id), gcTime: 0 });
  if (found.isError) return <Failed error={found.error} onRetry={() => void found.refetch()} back={{ to: "/executions", label: t("page.executions") }} />;
  if (!found.data) return <div className="opening" role="status">{t("state.loading")}</div>;
  return <Shown key={id} execution={found.data.execution} workflow={found.data.workflow} />;
}

/** The execution with the document of its version; the draft where that version is gone. */
async function loadRun(id: string): Promise<{ execution: ExecutionData; workflow: StoredWorkflow }> {
  const execution = await api.execution(id);
  const [workflow, document] = await Promise.all([api.workflow(execution.workflow_id), documentOf(execution)]);
  return { execution, workflow: { ...workflow, ...document, name: workflow.name, issues: [] } };
}

function Shown({ execution, workflow }: { execution: ExecutionData; workflow: StoredWorkflow }) {
  const [store] = useState(() => {
    const made = createEditorStore(true);
    made.getState().load(workflow);
    made.setState({ run: runOf(execution) });
    return made;
  });
  return (
    <EditorContext value={store}>
      <ReactFlowProvider>
        <View first={execution} />
      </ReactFlowProvider>
    </EditorContext>
  );
}

function View({ first }: { first: ExecutionData }) {
  const store = useEditorStore();
  const navigate = useNavigate();
  const name = useEditor((state) => state.workflow?.name ?? "");
  const run = useEditor((state) => state.run);
  const opened = useEditor((state) => state.opened);
  const data = useRunData() ?? first;
  useDefinitions();
  useLive();
  const retry = useMutation({
    mutationFn: (options: { newest_version?: boolean; from_start?: boolean }) => api.retry(first.id, options),
    onSuccess: (made) => navigate(`/executions/${made.id}`),
    onError: sayError,
  });
  const status = run?.status ?? first.status;
  const error = run?.error ?? first.error;
  const over = ["success", "error", "cancelled"].includes(status);
  useEffect(() => {
    document.title = `${name} – Weft`;
    return () => { document.title = "Weft"; };
  }, [name]);
  return (
    <div className="editor">
      <header className="top">
        <Link to="/executions" className="button quiet icon-link" aria-label={t("page.executions")}><ArrowLeft size={19} /></Link>
        <h1 className="cut">{name}</h1>
        <Status value={status} />
        <span className="soft hide-small">{named(`mode.${first.mode}`, first.mode)} · {when(first.created_at)}{over && ` · ${duration(data.execution_time_ms)}`}</span>
        <span className="grow" />
        {!over && <button onClick={() => void api.stop(first.id).catch(sayError)}><CircleStop size={16} />{t("action.stop")}</button>}
        {over && status !== "success" && (
          <Menu
            trigger={<button aria-label={t("action.retry")} disabled={retry.isPending}><RotateCcw size={16} /><span className="hide-small">{t("action.retry")}</span></button>}
            entries={[
              { label: t("retry.same"), onSelect: () => retry.mutate({}) },
              { label: t("retry.newest"), onSelect: () => retry.mutate({ newest_version: true }) },
              { label: t("retry.start"), onSelect: () => retry.mutate({ from_start: true }) },
            ]}
          />
        )}
        <Link className="button primary" aria-label={t("executions.edit")} to={`/workflows/${first.workflow_id}?run=${first.id}`}><PencilRuler size={16} /><span className="hide-small">{t("executions.edit")}</span></Link>
      </header>
      {Object.keys(data.custom_data).length > 0 && <div className="kept-bar"><CustomData data={data.custom_data} /></div>}
      {error && (
        <div className="banner" role="alert">
          <strong>{error.node ? t("executions.failedAt", { node: error.node }) : t("status.error")}</strong>
          <span>{error.message}</span>
        </div>
      )}
      <main className="stage" aria-label={t("editor.canvas")}><Canvas /></main>
      <Timeline data={data} onOpen={(node) => {
        const found = Object.values(store.getState().history.graph.nodes).find((each) => each.name === node);
        if (found) store.setState({ opened: found.id });
      }} />
      {opened && <NodeView key={opened} id={opened} />}
    </div>
  );
}
