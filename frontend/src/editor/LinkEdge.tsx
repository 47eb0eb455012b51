import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from "@xyflow/react";
import { Plus, Trash2 } from "lucide-react";
import { memo } from "react";
import { disconnect } from "../graph/commands";
import { type Edge, type Graph, STICKY_NOTE } from "../graph/document";
import { t } from "../i18n";
import { NODE_WIDTH, toCanvas } from "./geometry";
import { useEditor, useEditorStore } from "./store";

export interface LinkData extends Record<string, unknown> {
  edge: Edge;
  from: string;
}

const DROP = 40;
const FACE_HEIGHT = 62;
const ROUND = 18;

/** A way back (loops): out, down under the nodes, and back up, so that it doesn't cross them. */
function backPath(sx: number, sy: number, tx: number, ty: number, under: number): [string, number, number] {
  const low = Math.max(sy, ty, under) + DROP;
  const right = sx + 30;
  const left = tx - 30;
  const path =
    `M${sx} ${sy}H${right - ROUND}q${ROUND} 0 ${ROUND} ${ROUND}V${low - ROUND}q0 ${ROUND} ${-ROUND} ${ROUND}` +
    `H${left + ROUND}q${-ROUND} 0 ${-ROUND} ${-ROUND}V${ty + ROUND}q0 ${-ROUND} ${ROUND} ${-ROUND}H${tx}`;
  return [path, (left + right) / 2, low];
}

/** The bottom of the lowest node between two places. */
function lowest(graph: Graph, left: number, right: number): number {
  const between = Object.values(graph.nodes).filter((node) => node.type !== STICKY_NOTE && toCanvas(node.position).x > left - NODE_WIDTH && toCanvas(node.position).x < right);
  return Math.max(...between.map((node) => node.position[1] + FACE_HEIGHT));
}

/** A connection: item counts after a run, tools to insert and remove when it is pointed at. */
export const LinkEdge = memo(function LinkEdge(props: EdgeProps & { data?: LinkData }) {
  const { id, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, data, selected } = props;
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  const output = data?.edge.output ?? 0;
  const state = useEditor((all) => all.run?.nodes[data?.from ?? ""]);
  const count = state?.counts[output];
  const back = data?.edge.kind === "main" && targetX < sourceX - 20;
  const under = useEditor((all) => (back ? lowest(all.history.graph, targetX, sourceX) : 0));
  const [path, x, y] = back
    ? backPath(sourceX, sourceY, targetX, targetY, under)
    : getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  const classes = ["link", data?.edge.kind !== "main" && "socket", back && "back", selected && "selected", count ? "done" : state?.status === "running" && "busy"];
  return (
    <>
      <BaseEdge id={id} path={path} interactionWidth={18} className={classes.filter(Boolean).join(" ")} />
      <EdgeLabelRenderer>
        <div className={`link-tools${selected ? " shown" : ""}`} style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}>
          {count !== undefined && count > 0 && <span className="count">{t("editor.items", { count })}</span>}
          {!readOnly && data && (
            <span className="tools-on-link">
              {data.edge.kind === "main" && <button tabIndex={selected ? 0 : -1} aria-label={t("editor.insert")} onClick={() => store.setState({ adding: { edge: data.edge } })}><Plus size={14} /></button>}
              <button tabIndex={selected ? 0 : -1} aria-label={t("editor.disconnect")} onClick={() => store.getState().change(disconnect([id]))}><Trash2 size={13} /></button>
            </span>
          )}
        </div>
      </EdgeLabelRenderer>
    </>
  );
});
