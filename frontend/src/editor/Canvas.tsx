import {
  applyNodeChanges,
  ControlButton,
  Controls,
  type FinalConnectionState,
  type NodeChange,
  ReactFlow,
  SelectionMode,
  useKeyPress,
  useReactFlow,
  useStore,
  useStoreApi,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { Maximize, WandSparkles } from "lucide-react";
import { type MouseEvent as ReactMouseEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { createStore } from "zustand";
import { connect, moveNodes } from "../graph/commands";
import type { Edge, Graph } from "../graph/document";
import { groupOfFace, groupsOf, unfoldedIds } from "../graph/groups";
import { t } from "../i18n";
import { tidyUp } from "./actions";
import { Dots } from "./Dots";
import { begin, bringIn, fit, LEAST_ZOOM } from "./fit";
import { type CanvasEdge, canvasEdges, type CanvasNode, canvasNodes, edgeOf } from "./flow";
import { toCanvas, toDocument } from "./geometry";
import { chosenFaces, shownGraph } from "./folding";
import { GraphEntry } from "./GraphEntry";
import { FoldedFace, Groups, type Shift } from "./Groups";
import { CanvasMenu, type Pressed } from "./CanvasMenu";
import { LinkEdge } from "./LinkEdge";
import { Marked } from "./Marked";
import { FAR, MANY, useMounted } from "./mounting";
import { NodeFace } from "./NodeFace";
import { Overview } from "./Overview";
import { Choices } from "./People";
import { Painted } from "./Painted";
import { sceneOf, within } from "./scene";
import { SelectionBar } from "./SelectionBar";
import { AT_REST, type Moved } from "./sheets";
import { Shifting } from "./shifting";
import { StickyNote } from "./StickyNote";
import { useEditor, useEditorStore } from "./store";
import "./canvas.css";

const NODE_TYPES = { face: NodeFace, folded: FoldedFace, note: StickyNote };
const EDGE_TYPES = { link: LinkEdge };
const NONE: ReadonlySet<string> = new Set();
const MULTIPLE = ["Shift", "Meta", "Control"];
/** From this many nodes on a map of them helps. */
const MAPPED = 6;

/** Whether a node, or the frame of a group, is to be seen. */
const there = (shown: Graph, id: string): boolean => id in shown.nodes || groupsOf(shown).some((group) => group.id === id);

/** The graph of the store, to look at and to change. Positions of a drag become one step of the history. */
export function Canvas() {
  const store = useEditorStore();
  const graph = useEditor(shownGraph);
  const definitions = useEditor((state) => state.definitions);
  const selection = useEditor((state) => state.selection);
  const selectedEdges = useEditor((state) => state.selectedEdges);
  const readOnly = useEditor((state) => state.readOnly);
  const [nodes, setNodes] = useState<CanvasNode[]>([]);
  const flow = useReactFlow();
  const sheet = useStoreApi();
  const far = useStore((state) => state.transform[2] < FAR);
  const scene = sceneOf(graph, definitions);
  const many = scene.boxes.size > MANY;
  const current = useCallback(() => sceneOf(shownGraph(store.getState()), store.getState().definitions), [store]);
  /** Ids with those of folded groups in place of their faces. */
  const real = useCallback((ids: readonly string[]) => unfoldedIds(store.getState().history.graph, ids), [store]);
  const mounted = useMounted(store, current, many, scene);
  const [moving] = useState(() => createStore<Moved>(() => AT_REST));

  const [drawn, setDrawn] = useState<unknown[]>([]);
  const parts = [graph, definitions, selection, mounted];
  if (parts.some((part, index) => drawn[index] !== part)) {
    setDrawn(parts);
    setNodes(canvasNodes(graph, definitions, chosenFaces(graph, store.getState().history.graph, selection), mounted, nodes));
  }
  const edges = useMemo(() => canvasEdges(graph, new Set(selectedEdges), mounted, []), [graph, selectedEdges, mounted]);

  // from a closed node, dialog or panel the keyboard comes back to the graph
  useEffect(() => store.subscribe((now, before) => {
    const closed = (["opened", "renaming", "connecting"] as const).map((key) => (now[key] ? null : before[key])).find(Boolean);
    const left = closed ?? (before.adding && !now.adding ? now.selection[0] : undefined);
    if (!left || now.opened || !(left in now.history.graph.nodes)) return;
    store.setState({ focusing: left });
    bringIn(store, flow, [left]);
  }), [store, flow]);

  const fitted = useRef(false);
  const ready = flow.viewportInitialized && scene.bounds !== null;
  useEffect(() => {
    if (!ready || fitted.current) return;
    fitted.current = true;
    begin(store, flow);
  }, [ready, store, flow]);

  // with a key held, a rectangle adds to what was chosen before
  const chosenBefore = useRef(NONE);
  const holding = useKeyPress("Space");

  // a selection by rectangle counts the painted nodes too
  const [marked, setMarked] = useState<readonly string[]>([]);
  useEffect(() => {
    if (!many) return;
    return sheet.subscribe(({ userSelectionRect: drawn, transform: [, , zoom] }, before) => {
      if (!drawn && before.userSelectionRect) setMarked(store.getState().selection);
      if (!drawn || drawn === before.userSelectionRect || drawn.width + drawn.height === 0) return;
      const [x, y] = sheet.getState().transform;
      const ids = [...chosenBefore.current].concat(real(within(current(), { x: (drawn.x - x) / zoom, y: (drawn.y - y) / zoom, width: drawn.width / zoom, height: drawn.height / zoom })).filter((id) => !chosenBefore.current.has(id)));
      const { selection } = store.getState();
      if (ids.length !== selection.length || ids.some((id, at) => id !== selection[at])) store.setState({ selection: ids });
    });
  }, [many, sheet, store, current, real]);

  useEffect(() => {
    const shifting = new Shifting(sheet);
    return moving.subscribe((moved) => shifting.show(moved));
  }, [sheet, moving]);

  // React Flow ends no drag whose node is taken away meanwhile (undo, another's change): the view would drift on
  const grabbed = useRef<string | null>(null);
  useEffect(() => store.subscribe((now) => {
    if (grabbed.current === null || there(shownGraph(now), grabbed.current)) return;
    grabbed.current = null;
    sheet.setState({ autoPanOnNodeDrag: false });
    moving.setState(AT_REST);
  }), [store, sheet, moving]);
  const hold = (node: CanvasNode) => {
    grabbed.current = node.id;
    sheet.setState({ autoPanOnNodeDrag: true });
  };

  const onNodesChange = (changes: NodeChange<CanvasNode>[]) => {
    // where nodes of a large workflow are dragged to is said when they are dropped
    const told = many ? changes.filter((change) => change.type !== "position") : changes;
    if (told.length > 0) setNodes((before) => applyNodeChanges(told, before));
    const chosen = changes.filter((change) => change.type === "select");
    const { userSelectionRect, multiSelectionActive } = sheet.getState();
    if (chosen.length === 0 || (many && userSelectionRect)) return;
    const kept = store.getState().selection.filter((id) => multiSelectionActive || !mounted || mounted.has(id));
    const next = new Set(kept);
    for (const change of chosen) {
      for (const id of real([change.id])) {
        if (change.selected || (userSelectionRect && chosenBefore.current.has(id))) next.add(id);
        else next.delete(id);
      }
    }
    store.setState({ selection: [...next] });
  };

  /** In a large workflow what is chosen follows the dragged node as a layer of the page. */
  const follow = (dragged: CanvasNode) => {
    if (!many) return;
    const at = graph.nodes[dragged.id]?.position;
    if (!at) return;
    const { x, y } = toCanvas(at);
    const { ids } = moving.getState();
    moving.setState({ ids: ids.size > 0 ? ids : new Set([dragged.id, ...store.getState().selection]), x: dragged.position.x - x, y: dragged.position.y - y });
  };

  /** Everything that is chosen moves by as much as the node that was dragged; undefined where that is gone. */
  const drop = (dragged: CanvasNode | undefined, moved: CanvasNode[]) => {
    grabbed.current = null;
    const from = dragged && graph.nodes[dragged.id]?.position;
    if (!from) return;
    const [x, y] = toDocument(dragged.position);
    const ids = real([dragged.id, ...moved.map((node) => node.id), ...store.getState().selection]);
    const { nodes: held } = store.getState().history.graph;
    const placed = ids.flatMap((id): [string, [number, number]][] => {
      const at = held[id]?.position;
      return at ? [[id, [at[0] + x - from[0], at[1] + y - from[1]]]] : [];
    });
    // the nodes lie where they were dropped before their layers go
    flushSync(() => store.getState().change(moveNodes(new Map(placed))));
    moving.setState(AT_REST);
  };

  /** Moves the nodes of a group; they follow as those that are dragged do. */
  const shift: Shift = (ids, x, y, dropped, by) => {
    if (!dropped && by !== undefined) grabbed.current = by;
    if (dropped) {
      grabbed.current = null;
      const by = toDocument({ x, y });
      const { nodes: held } = store.getState().history.graph;
      const placed = ids.flatMap((id): [string, [number, number]][] => {
        const at = held[id]?.position;
        return at ? [[id, [at[0] + by[0], at[1] + by[1]]]] : [];
      });
      flushSync(() => store.getState().change(moveNodes(new Map(placed))));
      moving.setState(AT_REST);
    } else if (many) {
      const { ids: shifted } = moving.getState();
      moving.setState({ ids: shifted.size > 0 ? shifted : new Set(ids), x, y });
    } else {
      const shifted = new Set(ids);
      setNodes((before) => before.map((node) => {
        const at = graph.nodes[node.id]?.position;
        return at && shifted.has(node.id) ? { ...node, position: { x: toCanvas(at).x + x, y: toCanvas(at).y + y } } : node;
      }));
    }
  };
  const byId = new Map(many ? [] : nodes.map((node) => [node.id, node]));
  /** Where a node is now, on its way too. */
  const boxOf = (id: string) => {
    const box = scene.boxes.get(id);
    return box && { ...box, ...byId.get(id)?.position };
  };

  const [pressed, setPressed] = useState<Pressed | null>(null);
  /** Opens the menu on a node (with what is chosen, where it is among it), on a connection, or where nothing is. */
  const menu = (event: MouseEvent | ReactMouseEvent, on: { nodes?: string[]; edge?: Edge } = {}) => {
    event.preventDefault();
    const { selection } = store.getState();
    const ids = real(on.nodes ?? []);
    if (!on.edge && !(ids.length > 0 && ids.every((id) => selection.includes(id)))) store.setState({ selection: ids, selectedEdges: [] });
    setPressed({ x: event.clientX, y: event.clientY, ...(on.edge && { edge: on.edge }) });
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
      className={`${far ? "far" : ""}${many ? " many" : ""}`}
      data-nodes={scene.boxes.size}
      nodes={nodes}
      edges={edges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      onNodesChange={onNodesChange}
      onEdgesChange={(changes) => {
        if (many && sheet.getState().userSelectionRect) return;
        const next = new Set(store.getState().selectedEdges);
        for (const change of changes) {
          if (change.type !== "select") continue;
          if (change.selected) next.add(change.id);
          else next.delete(change.id);
        }
        store.setState({ selectedEdges: [...next] });
      }}
      onMoveStart={() => sheet.getState().domNode?.classList.add("in-motion")}
      onMoveEnd={() => sheet.getState().domNode?.classList.remove("in-motion")}
      onNodeDragStart={(_, node) => hold(node)}
      onNodeDrag={(_, node) => follow(node)}
      // called for a marked rectangle, too: of what is marked it names the first
      onNodeDragStop={(_, node, moved) => drop(node, moved)}
      onConnect={(connection) => {
        const edge = edgeOf(connection);
        if (edge) store.getState().change(connect(edge));
      }}
      onConnectEnd={addFromDrop}
      isValidConnection={(connection) => edgeOf(connection) !== null}
      onNodeClick={(event, node) => {
        if (!event.shiftKey && !event.metaKey && !event.ctrlKey) store.setState({ selection: real([node.id]), selectedEdges: [] });
      }}
      onNodeDoubleClick={(_, node) => { if (node.type === "face") store.setState({ opened: node.id }); }}
      onNodeContextMenu={(event, node) => menu(event, { nodes: [node.id] })}
      onSelectionContextMenu={(event, chosen) => menu(event, { nodes: chosen.map((node) => node.id) })}
      onEdgeContextMenu={(event, { data }) => {
        event.preventDefault();
        if (data && !readOnly && (groupOfFace(data.edge.from) ?? groupOfFace(data.edge.to)) === null) menu(event, { edge: data.edge });
      }}
      onPaneContextMenu={(event) => menu(event)}
      onPaneClick={() => store.setState({ adding: null, selection: [], selectedEdges: [] })}
      onPointerDownCapture={(event) => { chosenBefore.current = event.shiftKey || event.ctrlKey || event.metaKey ? new Set(store.getState().selection) : NONE; }}
      // with Space held the view moves, also where it is pulled at a node
      nodesDraggable={!readOnly && !holding}
      nodesConnectable={!readOnly}
      connectionRadius={36}
      selectionMode={SelectionMode.Partial}
      selectionKeyCode={null}
      multiSelectionKeyCode={MULTIPLE}
      panOnScroll
      zoomOnDoubleClick={false}
      selectionOnDrag={!readOnly}
      panOnDrag={readOnly ? true : [1, 2]}
      panActivationKeyCode="Space"
      deleteKeyCode={null}
      disableKeyboardA11y
      edgesFocusable={false}
      minZoom={LEAST_ZOOM}
      maxZoom={2}
      proOptions={{ hideAttribution: true }}
    >
      <GraphEntry />
      <Dots />
      {many && <Painted moving={moving} />}
      <Groups boxOf={boxOf} moving={moving} painted={many} shift={shift} />
      {many && !readOnly && marked.length > 1 && marked === selection && <Marked ids={marked} boxOf={boxOf} moving={moving} shift={shift} onMenu={(event) => menu(event, { nodes: [...marked] })} />}
      <Controls showInteractive={false} showFitView={false} aria-label={t("editor.view")}>
        <ControlButton onClick={() => fit(store, flow)} title={`${t("editor.fit")} (1)`} aria-label={t("editor.fit")}><Maximize /></ControlButton>
        {!readOnly && <ControlButton onClick={() => tidyUp(store)} title={t("editor.tidy")} aria-label={t("editor.tidy")}><WandSparkles /></ControlButton>}
      </Controls>
      <Choices />
      <SelectionBar />
      {scene.boxes.size > MAPPED && <Overview />}
      {pressed && <CanvasMenu key={`${pressed.x} ${pressed.y}`} pressed={pressed} onClose={() => setPressed(null)} />}
    </ReactFlow>
  );
}
