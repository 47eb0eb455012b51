import type { Edge as FlowEdge, Node as FlowNode } from "@xyflow/react";
import type { NodeDefinition } from "../forms/definition";
import { type Edge, edgeId, type Graph, type GraphNode, STICKY_NOTE } from "../graph/document";
import { FOLDED, groupOfFace } from "../graph/groups";
import { portsFor } from "./definitions";
import { t } from "../i18n";
import { heightOf, NODE_WIDTH, noteSize, toCanvas } from "./geometry";
import type { LinkData } from "./LinkEdge";
import type { FaceData } from "./NodeFace";
import { spoken } from "./spoken";

/** Nodes are walked through by arrow keys, not by Tab (see walking.ts). One object, so that nodes stay the same. */
let attributes: CanvasNode["domAttributes"];
const walked = () => (attributes ??= { tabIndex: -1, "aria-roledescription": t("editor.node") });

export type CanvasNode = FlowNode<FaceData>;
export type CanvasEdge = FlowEdge<LinkData>;

interface Touching {
  into: Set<string>;
  from: Set<string>;
  taken: Set<number>;
}

const known = new WeakMap<Edge[], Map<string, Touching>>();

/** What hangs on each node; worked out once for the same connections. */
function touching(edges: Edge[]): Map<string, Touching> {
  const held = known.get(edges);
  if (held) return held;
  const found = new Map<string, Touching>();
  known.set(edges, found);
  const of = (id: string) => {
    const touched = found.get(id) ?? { into: new Set<string>(), from: new Set<string>(), taken: new Set<number>() };
    found.set(id, touched);
    return touched;
  };
  for (const edge of edges) {
    if (edge.kind === "main") of(edge.from).taken.add(edge.output);
    else {
      of(edge.from).from.add(edge.kind);
      of(edge.to).into.add(edge.targetKind ?? edge.kind);
    }
  }
  return found;
}

/** The chosen of a graph's nodes; all where nothing is said. */
const chosen = (graph: Graph, mounted: ReadonlySet<string> | null): GraphNode[] =>
  mounted ? [...mounted].flatMap((id) => graph.nodes[id] ?? []) : Object.values(graph.nodes);

/**
 * The nodes that get elements. A node whose parts are the same stays the same object, so only changes are drawn.
 * `mounted`: those that get one; null: all.
 */
export function canvasNodes(graph: Graph, definitions: Record<string, NodeDefinition | null>, selection: ReadonlySet<string>, mounted: ReadonlySet<string> | null, before: CanvasNode[]): CanvasNode[] {
  const known = new Map(before.map((node) => [node.id, node]));
  const touched = touching(graph.edges);
  return chosen(graph, mounted).map((node): CanvasNode => {
    const ports = portsFor(node, definitions[node.type]);
    const at = touched.get(node.id);
    const sockets = { into: [...(at?.into ?? [])].sort(), from: [...(at?.from ?? [])].sort() };
    const taken = [...(at?.taken ?? [])].sort();
    const old = known.get(node.id);
    const note = node.type === STICKY_NOTE;
    const selected = selection.has(node.id);
    const same = old?.data.node === node && old.data.ports === ports && String(old.data.taken) === String(taken) && JSON.stringify(old.data.sockets) === JSON.stringify(sockets);
    if (same && (old.selected ?? false) === selected && !old.dragging) {
      const { x, y } = toCanvas(node.position);
      if (old.position.x === x && old.position.y === y) return old;
    }
    const data = same ? old.data : { node, ports, sockets, taken };
    const size = note ? { width: noteSize(node).width, height: noteSize(node).height } : { initialWidth: NODE_WIDTH, initialHeight: heightOf(ports) };
    const measured = old?.measured && !note ? { measured: old.measured } : {};
    return { id: node.id, type: note ? "note" : node.type === FOLDED ? "folded" : "face", position: toCanvas(node.position), data, selected, zIndex: note ? -1 : 1, ariaLabel: spoken(graph, node, definitions[node.type]), domAttributes: walked(), ...size, ...measured };
  });
}

/** The connections that get elements: those whose both ends have one. */
export function canvasEdges(graph: Graph, selection: ReadonlySet<string>, mounted: ReadonlySet<string> | null, before: CanvasEdge[]): CanvasEdge[] {
  const known = new Map(before.map((edge) => [edge.id, edge]));
  const edges = mounted ? graph.edges.filter((edge) => mounted.has(edge.from) && mounted.has(edge.to)) : graph.edges;
  return edges.map((edge): CanvasEdge => {
    const id = edgeId(edge);
    const from = graph.nodes[edge.from]?.name ?? "";
    const selected = selection.has(id);
    const old = known.get(id);
    if (old?.data?.edge === edge && old.data.from === from && (old.selected ?? false) === selected) return old;
    return {
      id,
      type: "link",
      source: edge.from,
      sourceHandle: `${edge.kind}/${edge.kind === "main" ? edge.output : 0}`,
      target: edge.to,
      targetHandle: `${edge.targetKind ?? edge.kind}/${edge.kind === "main" ? edge.input : 0}`,
      data: { edge, from },
      selected,
      ...((groupOfFace(edge.from) ?? groupOfFace(edge.to)) !== null && { selectable: false, focusable: false }),
      ariaLabel: `${from} → ${graph.nodes[edge.to]?.name ?? ""}`,
    };
  });
}

/** The graph's edge for handles that were joined, or null where the kinds differ. */
export function edgeOf(connection: { source: string | null; target: string | null; sourceHandle?: string | null; targetHandle?: string | null }): Edge | null {
  const [kind = "main", output = "0"] = (connection.sourceHandle ?? "main/0").split("/");
  const [into = "main", input = "0"] = (connection.targetHandle ?? "main/0").split("/");
  if (kind !== into || !connection.source || !connection.target || connection.source === connection.target) return null;
  return { from: connection.source, output: Number(output), to: connection.target, input: Number(input), kind };
}
