import {
  applyNodeChanges,
  Background,
  BackgroundVariant,
  ControlButton,
  Controls,
  type FinalConnectionState,
  MiniMap,
  type NodeChange,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  useStore,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { WandSparkles } from "lucide-react";
import { useMemo, useState } from "react";
import { connect, moveNodes } from "../graph/commands";
import { t } from "../i18n";
import { tidyUp } from "./actions";
import { type CanvasEdge, canvasEdges, type CanvasNode, canvasNodes, edgeOf } from "./flow";
import { toDocument } from "./geometry";
import { LinkEdge } from "./LinkEdge";
import { NodeFace } from "./NodeFace";
import { StickyNote } from "./StickyNote";
import { useEditor, useEditorStore } from "./store";
import "./canvas.css";

const NODE_TYPES = { face: NodeFace, note: StickyNote };
const EDGE_TYPES = { link: LinkEdge };
/** From here on only what can be seen is drawn. */
const MANY = 150;
/** Below this zoom faces are drawn without what can't be read. */
const FAR = 0.4;

/** The graph of the store, to look at and to change. Positions of a drag become one step of the history. */
export function Canvas() {
  const store = useEditorStore();
  const { graph, definitions, selection, selectedEdges, readOnly } = {
    graph: useEditor((state) => state.history.graph),
    definitions: useEditor((state) => state.definitions),
    selection: useEditor((state) => state.selection),
    selectedEdges: useEditor((state) => state.selectedEdges),
    readOnly: useEditor((state) => state.readOnly),
  };
  const [nodes, setNodes] = useState<CanvasNode[]>([]);
  const flow = useReactFlow();
  const far = useStore((state) => state.transform[2] < FAR);

  const [drawn, setDrawn] = useState<unknown[]>([]);
  if (drawn[0] !== graph || drawn[1] !== definitions || drawn[2] !== selection) {
    setDrawn([graph, definitions, selection]);
    setNodes(canvasNodes(graph, definitions, new Set(selection), nodes));
  }
  const edges = useMemo(() => canvasEdges(graph, new Set(selectedEdges), []), [graph, selectedEdges]);

  const onNodesChange = (changes: NodeChange<CanvasNode>[]) => {
    setNodes((before) => applyNodeChanges(changes, before));
    const chosen = changes.filter((change) => change.type === "select");
    if (chosen.length === 0) return;
    const next = new Set(store.getState().selection);
    for (const change of chosen) {
      if (change.selected) next.add(change.id);
      else next.delete(change.id);
    }
    store.setState({ selection: [...next] });
  };

  const place = (moved: CanvasNode[]) => {
    store.getState().change(moveNodes(new Map(moved.map((node) => [node.id, toDocument(node.position)]))));
  };

  const addFromDrop = (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
    if (state.isValid === true || state.toHandle || !state.fromNode || state.fromHandle.type !== "source") return;
    const point = "clientX" in event ? event : event.changedTouches.item(0);
    if (!point) return;
    const [kind = "main", output = "0"] = (state.fromHandle.id ?? "main/0").split("/");
    const at = toDocument(flow.screenToFlowPosition({ x: point.clientX, y: point.clientY }));
    store.setState({ adding: { after: { node: state.fromNode.id, output: Number(output), kind }, at } });
  };

  return (
    <ReactFlow<CanvasNode, CanvasEdge>
      className={far ? "far" : ""}
      nodes={nodes}
      edges={edges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      onNodesChange={onNodesChange}
      onEdgesChange={(changes) => {
        const next = new Set(store.getState().selectedEdges);
        for (const change of changes) {
          if (change.type !== "select") continue;
          if (change.selected) next.add(change.id);
          else next.delete(change.id);
        }
        store.setState({ selectedEdges: [...next] });
      }}
      onNodeDragStop={(_, __, moved) => place(moved)}
      onSelectionDragStop={(_, moved) => place(moved)}
      onConnect={(connection) => {
        const edge = edgeOf(connection);
        if (edge) store.getState().change(connect(edge));
      }}
      onConnectEnd={addFromDrop}
      isValidConnection={(connection) => edgeOf(connection) !== null}
      onNodeClick={(event, node) => {
        if (!event.shiftKey && !event.metaKey && !event.ctrlKey) store.setState({ selection: [node.id], selectedEdges: [] });
      }}
      onNodeDoubleClick={(_, node) => { if (node.type === "face") store.setState({ opened: node.id }); }}
      onPaneClick={() => store.setState({ adding: null })}
      onlyRenderVisibleElements={nodes.length > MANY}
      nodesDraggable={!readOnly}
      nodesConnectable={!readOnly}
      connectionRadius={36}
      selectionMode={SelectionMode.Partial}
      panOnScroll
      zoomOnDoubleClick={false}
      selectionOnDrag={!readOnly}
      panOnDrag={readOnly ? true : [1, 2]}
      panActivationKeyCode="Space"
      deleteKeyCode={null}
      minZoom={0.08}
      maxZoom={2}
      fitView
      fitViewOptions={{ maxZoom: 1, padding: 0.25 }}
      proOptions={{ hideAttribution: true }}
    >
      <Background variant={BackgroundVariant.Dots} gap={22} size={1.4} color="var(--line-strong)" />
      <Controls showInteractive={false} aria-label={t("editor.view")}>
        {!readOnly && <ControlButton onClick={() => tidyUp(store)} title={t("editor.tidy")} aria-label={t("editor.tidy")}><WandSparkles /></ControlButton>}
      </Controls>
      {nodes.length > 6 && <MiniMap pannable zoomable ariaLabel={t("editor.map")} nodeStrokeWidth={0} nodeColor={(node) => (node.type === "note" ? "var(--wait-wash)" : "var(--line-strong)")} />}
    </ReactFlow>
  );
}
