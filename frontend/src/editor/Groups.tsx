import { Handle, type NodeProps, Position, ViewportPortal } from "@xyflow/react";
import { Boxes, ChevronsDownUp, ChevronsUpDown, Settings2 } from "lucide-react";
import { type KeyboardEvent, memo } from "react";
import { type StoreApi, useStore } from "zustand";
import { groupOfFace } from "../graph/groups";
import { t } from "../i18n";
import { shownGraph, toggleFold } from "./folding";
import { type Frame, framesOf, onTheirWay } from "./frames";
import { heightOf, NODE_WIDTH } from "./geometry";
import type { FaceData } from "./NodeFace";
import { useHandle } from "./handle";
import type { Box } from "./scene";
import type { Moved } from "./sheets";
import { useTakesFocus } from "./focus";
import { type EditorState, useEditor, useEditorStore } from "./store";
import "./groups.css";

/**
 * Moves nodes by canvas units: while they are on their way, or (`dropped`) for good. `by`: the group whose frame pulls them;
 * where it goes meanwhile, they lie where they were.
 */
export type Shift = (ids: readonly string[], x: number, y: number, dropped: boolean, by?: string) => void;

interface Frames {
  /** Where a node lies; `moving`: what of them is on its way, not counted in. */
  boxOf: (id: string) => Box | undefined;
  moving: StoreApi<Moved>;
  /** Only the heads are elements. */
  painted: boolean;
  shift: Shift;
}

/** The frames of open groups, under their nodes. */
export function Groups({ boxOf, moving, painted, shift }: Frames) {
  const graph = useEditor(shownGraph);
  const moved = useStore(moving, (now) => (graph.groups?.length ? now : null));
  const frames = framesOf(graph, moved ? onTheirWay(boxOf, moved) : boxOf);
  if (frames.length === 0) return null;
  return (
    <ViewportPortal>
      {frames.map((frame) => <FrameOf key={frame.group.id} frame={frame} painted={painted} shift={shift} />)}
    </ViewportPortal>
  );
}

const STEP = 10;
const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
function FrameOf({ frame: { group, box }, painted, shift }: { frame: Frame; painted: boolean; shift: Shift }) {
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  const handle = useHandle((x, y, dropped) => shift(group.nodeIds, x, y, dropped, group.id));
  const choose = () => store.setState({ selection: group.nodeIds, selectedEdges: [] });
  const keys = (event: KeyboardEvent) => {
    const step = ARROWS[event.key];
    if (step && !readOnly) shift(group.nodeIds, ...step, true);
    else if (event.key === "F2" && !readOnly) store.setState({ naming: group.id });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className={`group-frame colour-${group.color}${painted ? " painted-frame" : ""}`} role="group" aria-label={t("group.label", { name: group.name, count: group.nodeIds.length })} style={{ transform: `translate(${box.x}px, ${box.y}px)`, width: box.width, height: box.height }}>
      <div className="group-head nopan">
        <button
          className="group-name"
          title={t("group.move")}
          onClick={choose}
          onDoubleClick={() => { if (!readOnly) store.setState({ naming: group.id }); }}
          onKeyDown={keys}
          {...(!readOnly && handle)}
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
