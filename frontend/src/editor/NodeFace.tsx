import { Handle, type NodeProps, Position } from "@xyflow/react";
import { CircleAlert, CircleCheck, Hourglass, LoaderCircle, Pin, Plus, RefreshCw, TriangleAlert, Zap } from "lucide-react";
import { memo } from "react";
import type { GraphNode } from "../graph/document";
import type { Ports } from "../graph/ports";
import { t } from "../i18n";
import type { Workflow } from "../api/types";
import { isTrigger, nameOfKind } from "./faces";
import { heightOf, NODE_WIDTH } from "./geometry";
import { NodeIcon } from "./NodeIcon";
import { useEditor, useEditorStore } from "./store";
import { useTakesFocus } from "./focus";

export interface FaceData extends Record<string, unknown> {
  node: GraphNode;
  ports: Ports;
  /** Kinds of connections other than `main` that end or begin here. */
  sockets: { into: string[]; from: string[] };
  /** Outputs that something hangs on. */
  taken: number[];
}

const ISSUES: Workflow["issues"] = [];
const share = (index: number, count: number): string => `${((index + 0.5) / count) * 100}%`;

/** A node on the canvas: kind by its shape, state by its edge, problems by a mark. */
function Face({ data, selected, id }: NodeProps & { data: FaceData }) {
  const { node, ports, sockets, taken } = data;
  const store = useEditorStore();
  const definition = useEditor((state) => state.definitions[node.type]);
  const state = useEditor((all) => all.run?.nodes[node.name]);
  const pinned = useEditor((all) => node.name in all.history.graph.pins);
  const readOnly = useEditor((all) => all.readOnly);
  const issues = useEditor((all) => all.workflow?.issues ?? ISSUES).filter((issue) => issue.node === node.name);
  const face = useTakesFocus(id);
  const trigger = isTrigger(definition, ports);
  const kind = nameOfKind(node, definition);
  const classes = ["face", trigger && "trigger", node.disabled && "disabled", selected && "selected", state && `is-${state.status}`, definition === null && "unknown"];
  return (
    <div ref={face} className={classes.filter(Boolean).join(" ")} style={{ width: NODE_WIDTH, height: heightOf(ports) }} data-node={node.name} data-status={state?.status ?? "idle"}>
      {ports.inputs.map((label, index) => (
        <Handle key={`in${index}`} type="target" position={Position.Left} id={`main/${index}`} style={{ top: share(index, ports.inputs.length) }}>
          {label && ports.inputs.length > 1 && <span className="port in">{label}</span>}
        </Handle>
      ))}
      <span className="tile"><NodeIcon type={node.type} name={node.name} /></span>
      <span className="words">
        <strong>{node.name}</strong>
        {kind && kind !== node.name && <small>{kind}</small>}
      </span>
      {trigger && <span className="bolt" title={t("editor.trigger")}><Zap size={11} fill="currentColor" /></span>}
      <span className="marks">
        {pinned && <span className="mark pin" title={t("editor.pinned")}><Pin size={11} /></span>}
        {node.retryOnFail && <span className="mark" title={t("editor.retries")}><RefreshCw size={11} /></span>}
        {issues.length > 0 && !state && <span className="mark issue" title={issues.map((issue) => issue.message).join("\n")}><TriangleAlert size={12} /></span>}
        {state && <Mark status={state.status} runs={state.runs} error={state.error?.message} />}
      </span>
      {ports.outputs.map((label, index) => (
        <Handle key={`out${index}`} type="source" position={Position.Right} id={`main/${index}`} className={label === "error" ? "bad" : ""} style={{ top: share(index, ports.outputs.length) }}>
          {label && <span className={label === "error" ? "port out bad" : "port out"}>{label === "error" ? t("editor.errorOutput") : label}</span>}
          {!readOnly && !taken.includes(index) && (
            <button
              className="add-after nodrag"
              tabIndex={-1}
              aria-label={t("editor.addAfter", { name: node.name })}
              onClick={(event) => { event.stopPropagation(); store.setState({ adding: { after: { node: id, output: index, kind: "main" } } }); }}
            >
              <Plus size={13} />
            </button>
          )}
        </Handle>
      ))}
      {sockets.into.map((socket, index) => (
        <Handle key={socket} type="target" position={Position.Bottom} id={`${socket}/0`} className="socket" style={{ left: share(index, sockets.into.length) }}>
          <span className="port below">{socket.replace(/^ai_/, "")}</span>
        </Handle>
      ))}
      {sockets.from.map((socket) => <Handle key={socket} type="source" position={Position.Top} id={`${socket}/0`} className="socket" />)}
    </div>
  );
}

/** Where a node lies is not in its face: moving it draws nothing anew. */
export const NodeFace = memo(Face, (before, after) => before.data === after.data && before.selected === after.selected);

function Mark({ status, runs, error }: { status: string; runs: number; error: string | undefined }) {
  const count = runs > 1 ? <i>{runs}</i> : null;
  switch (status) {
    case "running":
      return <span className="mark busy" title={t("status.running")}><LoaderCircle size={14} className="spin" /></span>;
    case "waiting":
      return <span className="mark wait" title={t("status.waiting")}><Hourglass size={13} /></span>;
    case "error":
      return <span className="mark issue" title={error}><CircleAlert size={14} />{count}</span>;
    case "success":
      return <span className="mark good" title={error ?? t("status.success")}><CircleCheck size={14} />{count}</span>;
    default:
      return null;
  }
}
