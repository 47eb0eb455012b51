import { ArrowLeft, Check, CloudOff, Command, Download, Ellipsis, History, LoaderCircle, ListChecks, Redo2, Rocket, TriangleAlert, Undo2 } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { api } from "../api/api";
import { changeWorkflow } from "../graph/commands";
import { writeDocument } from "../graph/document";
import { t } from "../i18n";
import { Menu } from "../ui/Menu";
import { sayError } from "../ui/toast";
import { People } from "./People";
import { PublishDialog } from "./PublishDialog";
import { type Saving, useEditor, useEditorStore } from "./store";
import { VersionsDialog } from "./VersionsDialog";

/** Name, state, undo, publish. */
export function TopBar() {
  const store = useEditorStore();
  const navigate = useNavigate();
  const name = useEditor((state) => state.history.graph.name);
  const canUndo = useEditor((state) => state.history.past.length > 0);
  const canRedo = useEditor((state) => state.history.future.length > 0);
  const workflow = useEditor((state) => state.workflow);
  const [dialog, setDialog] = useState<"publish" | "versions" | null>(null);
  const unpublish = async () => {
    if (!workflow) return;
    try {
      store.setState({ workflow: { ...workflow, ...(await api.deactivate(workflow.id)) } });
    } catch (error) {
      if (error instanceof Error) sayError(error);
    }
  };
  return (
    <header className="top">
      <Link to="/workflows" className="button quiet icon-link" aria-label={t("page.workflows")}><ArrowLeft size={19} /></Link>
      <h1 className="sr">{name}</h1>
      <input className="title" aria-label={t("workflows.name")} value={name} onChange={(event) => store.getState().change(changeWorkflow({ name: event.target.value }), "name")} />
      <SaveState />
      <Issues />
      <span className="grow" />
      <People />
      <button className="icon" aria-label={t("action.undo")} title={`${t("action.undo")} (Ctrl+Z)`} disabled={!canUndo} onClick={() => store.getState().undo()}><Undo2 size={18} /></button>
      <button className="icon" aria-label={t("action.redo")} title={`${t("action.redo")} (Ctrl+Shift+Z)`} disabled={!canRedo} onClick={() => store.getState().redo()}><Redo2 size={18} /></button>
      <button className="icon hide-small" aria-label={t("palette.title")} title={`${t("palette.title")} (Ctrl+K)`} onClick={() => store.setState({ palette: true })}><Command size={17} /></button>
      <span className={workflow?.is_active ? "status success hide-small" : "status hide-small"}>{t(workflow?.is_active ? "workflows.published" : "workflows.draft")}</span>
      <button className="primary" aria-label={t("workflows.publish")} disabled={!workflow} onClick={() => setDialog("publish")}><Rocket size={16} /><span className="hide-small">{t("workflows.publish")}</span></button>
      <Menu
        trigger={<button className="icon" aria-label={t("action.more")}><Ellipsis size={19} /></button>}
        entries={[
          { label: t("editor.runs"), icon: <ListChecks size={16} />, onSelect: () => void navigate(`/executions?workflow=${workflow?.id ?? ""}`) },
          { label: t("versions.title"), icon: <History size={16} />, onSelect: () => setDialog("versions") },
          { label: t("editor.download"), icon: <Download size={16} />, onSelect: () => download(name, JSON.stringify(writeDocument(store.getState().history.graph), null, 2)) },
          ...(workflow?.is_active ? [null, { label: t("workflows.unpublish"), icon: <CloudOff size={16} />, onSelect: () => void unpublish() }] : []),
        ]}
      />
      {dialog === "publish" && workflow && <PublishDialog onClose={() => setDialog(null)} />}
      {dialog === "versions" && workflow && <VersionsDialog workflow={workflow} onClose={() => setDialog(null)} />}
    </header>
  );
}

function SaveState() {
  const saving = useEditor((state) => state.saving);
  const stored = useEditor((state) => state.workflow !== null);
  const icons: Record<Saving, React.ReactNode> = {
    saved: <Check size={14} />,
    dirty: <LoaderCircle size={14} />,
    saving: <LoaderCircle size={14} className="spin" />,
    conflict: <CloudOff size={14} />,
    failed: <CloudOff size={14} />,
  };
  if (!stored && saving === "saved") return null;
  return <span className={`save ${saving}`} role="status" title={t(`saving.${saving}`)}>{icons[saving]}<span>{t(`saving.${saving}`)}</span></span>;
}

/** Issues in the list; the others follow as these are put right. */
const MOST = 20;

/** What is wrong with the draft, each with the way to its node. */
function Issues() {
  const store = useEditorStore();
  const issues = useEditor((state) => state.workflow?.issues);
  const nodes = useEditor((state) => state.history.graph.nodes);
  const ids = new Map(Object.values(nodes).map((node) => [node.name, node.id]));
  const held = issues?.filter((issue) => !issue.node || ids.has(issue.node)) ?? [];
  if (held.length === 0) return null;
  return (
    <Menu
      align="start"
      trigger={<button className="small issues" aria-label={t("workflows.issues", { count: held.length })}><TriangleAlert size={14} />{held.length}</button>}
      entries={[...new Map(held.map((issue) => [issue.node ? `${issue.node}: ${issue.message}` : issue.message, ids.get(issue.node)]))].slice(0, MOST).map(([label, id]) => ({
        label,
        icon: <TriangleAlert size={15} />,
        onSelect: () => { if (id) store.setState({ opened: id, selection: [id] }); },
      }))}
    />
  );
}

function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `${name || "workflow"}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}
