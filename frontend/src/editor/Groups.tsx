import { Handle, type NodeProps, Position, useReactFlow, ViewportPortal } from "@xyflow/react";
import { Boxes, ChevronsDownUp, ChevronsUpDown, Settings2 } from "lucide-react";
import { type KeyboardEvent, memo, type PointerEvent, useRef, useState } from "react";
import { groupOfFace } from "../graph/groups";
import { t } from "../i18n";
import { shownGraph, toggleFold } from "./folding";
import { type Frame, framesOf } from "./frames";
import { heightOf, NODE_WIDTH } from "./geometry";
import type { FaceData } from "./NodeFace";
import type { Box } from "./scene";
import { useTakesFocus } from "./focus";
import { type EditorState, useEditor, useEditorStore } from "./store";
import "./groups.css";

/** Moves nodes by canvas units: while they are on their way, or (`dropped`) for good. */
export type Shift = (ids: readonly string[], x: number, y: number, dropped: boolean) => void;

/** The frames of open groups, under their nodes. `painted`: only their heads are elements. */
export function Groups({ boxOf, painted, shift }: { boxOf: (id: string) => Box | undefined; painted: boolean; shift: Shift }) {
  const graph = useEditor(shownGraph);
  const frames = framesOf(graph, boxOf);
  if (frames.length === 0) return null;
  return (
    <ViewportPortal>
      {frames.map((frame) => <FrameOf key={frame.group.id} frame={frame} painted={painted} shift={shift} />)}
    </ViewportPortal>
  );
}

const STEP = 10;
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
/** A press that moves less is a click. */
const STILL = 3;

function FrameOf({ frame: { group, box }, painted, shift }: { frame: Frame; painted: boolean; shift: Shift }) {
  const store = useEditorStore();
  const flow = useReactFlow();
  const readOnly = useEditor((state) => state.readOnly);
  const from = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const [offset, setOffset] = useState<[number, number]>([0, 0]);
  const choose = () => store.setState({ selection: group.nodeIds, selectedEdges: [] });
  const way = (event: PointerEvent): [number, number] => {
    const zoom = flow.getZoom();
    return from.current ? [(event.clientX - from.current.x) / zoom, (event.clientY - from.current.y) / zoom] : [0, 0];
  };
  const press = (event: PointerEvent<HTMLButtonElement>) => {
    if (readOnly || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    from.current = { x: event.clientX, y: event.clientY, moved: false };
  };
  const drag = (event: PointerEvent) => {
    if (!from.current) return;
    const [x, y] = way(event);
    from.current.moved ||= Math.hypot(x, y) * flow.getZoom() > STILL;
    if (!from.current.moved) return;
    if (painted) setOffset([x, y]);
    shift(group.nodeIds, x, y, false);
  };
  const drop = (event: PointerEvent) => {
    if (from.current?.moved) shift(group.nodeIds, ...way(event), true);
    from.current = null;
    setOffset([0, 0]);
  };
  const keys = (event: KeyboardEvent) => {
    const step = ARROWS[event.key];
    if (step && !readOnly) shift(group.nodeIds, ...step, true);
    else if (event.key === "F2" && !readOnly) store.setState({ naming: group.id });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className={`group-frame colour-${group.color}${painted ? " painted-frame" : ""}`} role="group" aria-label={t("group.label", { name: group.name, count: group.nodeIds.length })} style={{ transform: `translate(${box.x + offset[0]}px, ${box.y + offset[1]}px)`, width: box.width, height: box.height }}>
      <div className="group-head nopan">
        <button
          className="group-name"
          title={t("group.move")}
          onClick={choose}
          onDoubleClick={() => { if (!readOnly) store.setState({ naming: group.id }); }}
          onKeyDown={keys}
          onPointerDown={press}
          onPointerMove={drag}
          onPointerUp={drop}
          onPointerCancel={drop}
        >
          {group.name}
        </button>
        {!readOnly && <button className="icon small" aria-label={t("group.change", { name: group.name })} title={t("group.title")} onClick={() => store.setState({ naming: group.id })}><Settings2 size={15} /></button>}
        <button className="icon small" aria-expanded="true" aria-label={t("group.fold", { name: group.name })} title={t("editor.fold")} onClick={() => toggleFold(store, group.id)}><ChevronsDownUp size={15} /></button>
      </div>
    </div>
  );
}

const WORST = ["error", "running", "waiting", "cancelled", "success"] as const;

/** What the nodes of a folded group have come to: the worst of them. */
const stateOf = (state: EditorState, names: readonly string[]) => {
  const found = new Set(names.map((name) => state.run?.nodes[name]?.status));
  return WORST.find((status) => found.has(status));
};

/** A folded group: one face with the connections that lead into and out of it. */
export const FoldedFace = memo(function FoldedFace({ data, selected, id }: NodeProps & { data: FaceData }) {
  const { node, ports, sockets } = data;
  const store = useEditorStore();
  const element = useTakesFocus(id);
  const { members, count, color } = node.parameters as { members: string[]; count: number; color: number };
  const status = useEditor((state) => stateOf(state, members));
  const unfold = () => toggleFold(store, groupOfFace(id) ?? "");
  const at = (index: number, all: number) => ({ top: `${((index + 0.5) / all) * 100}%` });
  return (
    <div ref={element} className={`face folded colour-${color}${selected ? " selected" : ""}${status ? ` is-${status}` : ""}`} style={{ width: NODE_WIDTH, height: heightOf(ports) }} data-group={node.name} data-status={status ?? "idle"} onDoubleClick={unfold}>
      {ports.inputs.map((_, index) => <Handle key={`in${index}`} type="target" position={Position.Left} id={`main/${index}`} isConnectable={false} style={at(index, ports.inputs.length)} />)}
      <span className="tile"><Boxes size={20} /></span>
      <span className="words"><strong>{node.name}</strong><small>{t("group.count", { count })}</small></span>
      <button className="icon small nodrag" aria-expanded="false" aria-label={t("group.unfold", { name: node.name })} title={t("editor.fold")} onClick={(event) => { event.stopPropagation(); unfold(); }}><ChevronsUpDown size={15} /></button>
      {ports.outputs.map((_, index) => <Handle key={`out${index}`} type="source" position={Position.Right} id={`main/${index}`} isConnectable={false} style={at(index, ports.outputs.length)} />)}
      {sockets.into.map((socket) => <Handle key={socket} type="target" position={Position.Bottom} id={`${socket}/0`} className="socket" isConnectable={false} />)}
      {sockets.from.map((socket) => <Handle key={socket} type="source" position={Position.Top} id={`${socket}/0`} className="socket" isConnectable={false} />)}
    </div>
  );
});
