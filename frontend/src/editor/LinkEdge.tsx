import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from "@xyflow/react";
import { Plus, Trash2 } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import { disconnect } from "../graph/commands";
import type { Edge } from "../graph/document";
import { t } from "../i18n";
import { tip } from "./paint";
import { groupOfFace } from "../graph/groups";
import { shownGraph } from "./folding";
import { leadsBack, type Line, lineOf } from "./routing";
import { sceneOf } from "./scene";
import { useEditor, useEditorStore } from "./store";

export interface LinkData extends Record<string, unknown> {
  edge: Edge;
  from: string;
}

/** An arrow on a way back lies beside its label. */
const TURN = 48;
/** A connection to a socket. */
function curveOf({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition }: EdgeProps): Line {
  const [path, x, y] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  return { path, x, y, turned: false };
}

const near = (one: number, other: number): boolean => Math.abs(one - other) < 2;

/** How long the tools stay when the pointer has left, so that it can reach them. */
const STAY_MS = 300;

/** A connection: item counts after a run, tools to insert and remove when it is pointed at. */
export const LinkEdge = memo(function LinkEdge(props: EdgeProps & { data?: LinkData }) {
  const { id, sourceX, sourceY, targetX, targetY, data, selected } = props;
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  const output = data?.edge.output ?? 0;
  const state = useEditor((all) => all.run?.nodes[data?.from ?? ""]);
  const count = state?.counts[output];
  const main = data?.edge.kind === "main";
  const back = main && leadsBack("main", sourceX, targetX);
  const way = useEditor((all) => (main ? sceneOf(shownGraph(all), all.definitions).ways.get(id) : undefined));
  // while an end is dragged, straight to where it is
  const still = way && near(way.sourceX, sourceX) && near(way.sourceY, sourceY) && near(way.targetX, targetX) && near(way.targetY, targetY);
  const line = main ? lineOf({ sourceX, sourceY, targetX, targetY }, still ? way.route : undefined) : curveOf(props);
  const [pointed, setPointed] = useState(false);
  const leaving = useRef<ReturnType<typeof setTimeout>>(undefined);
  const enter = () => {
    clearTimeout(leaving.current);
    setPointed(true);
  };
  const leave = () => {
    leaving.current = setTimeout(() => setPointed(false), STAY_MS);
  };
  useEffect(() => () => clearTimeout(leaving.current), []);
  const counted = count !== undefined && count > 0;
  const tools = !readOnly && data && (pointed || selected) && (groupOfFace(data.edge.from) ?? groupOfFace(data.edge.to)) === null;
  const classes = ["link", !main && "socket", back && "back", selected && "selected", count ? "done" : state?.status === "running" && "busy"].filter(Boolean).join(" ");
  return (
    <g onPointerEnter={enter} onPointerLeave={leave}>
      <BaseEdge id={id} path={line.path} interactionWidth={18} className={classes} />
      {main && <path className={`tip ${classes}`} d={tip(targetX, targetY) + (line.turned ? tip(line.x + TURN, line.y, true) : "")} />}
      {(counted || tools) && (
        <EdgeLabelRenderer>
          <div className="link-tools" style={{ transform: `translate(-50%, -50%) translate(${line.x}px, ${line.y}px)` }} onPointerEnter={enter} onPointerLeave={leave}>
            {tools ? (
              <>
                {data.edge.kind === "main" && <button aria-label={t("editor.insert")} onClick={() => store.setState({ adding: { edge: data.edge } })}><Plus size={14} /></button>}
                <button aria-label={t("editor.disconnect")} onClick={() => store.getState().change(disconnect([id]))}><Trash2 size={13} /></button>
              </>
            ) : <span className="count">{t("editor.items", { count: count ?? 0 })}</span>}
          </div>
        </EdgeLabelRenderer>
      )}
    </g>
  );
});
