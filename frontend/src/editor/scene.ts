import type { NodeDefinition } from "../forms/definition";
import { type Edge, edgeId, type Graph, STICKY_NOTE } from "../graph/document";
import { portsFor } from "./definitions";
import { heightOf, NODE_WIDTH, noteSize, toCanvas } from "./geometry";
import { along, Faces, leadsBack, parted, type Route, routed } from "./routing";

/** A rectangle in canvas units. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where a connection runs: from an output to an input. */
export interface Way {
  edge: Edge;
  sourceX: number;
  sourceY: number;
  targetX: number;
  targetY: number;
  /** Around the nodes in its way, or back (of a loop); undefined where it leads straight to its end. */
  route?: Route;
}

/** Where everything lies, in canvas units. Boxes of notes come first, since faces are drawn above them. */
export interface Scene {
  boxes: ReadonlyMap<string, Box>;
  ways: ReadonlyMap<string, Way>;
  /** Around all nodes; null where there is none. */
  bounds: Box | null;
}

type Definitions = Record<string, NodeDefinition | null>;

let latest: { graph: Graph; definitions: Definitions; scene: Scene } | null = null;

/** The scene of a graph; the latest one is kept. */
export function sceneOf(graph: Graph, definitions: Definitions): Scene {
  if (latest?.definitions === definitions && latest.graph.nodes === graph.nodes && latest.graph.edges === graph.edges) return latest.scene;
  const notes: [string, Box][] = [];
  const faces: [string, Box][] = [];
  for (const node of Object.values(graph.nodes)) {
    if (node.type === STICKY_NOTE) notes.push([node.id, { ...toCanvas(node.position), width: noteSize(node).width, height: noteSize(node).height }]);
    else faces.push([node.id, { ...toCanvas(node.position), width: NODE_WIDTH, height: heightOf(portsFor(node, definitions[node.type])) }]);
  }
  const boxes = new Map([...notes, ...faces]);
  const ways = new Map(graph.edges.flatMap((edge) => wayOf(edge, graph, definitions, boxes)));
  lead(ways, boxes, new Faces(faces.map(([, box]) => box)));
  const scene = { boxes, ways, bounds: around([...boxes.values()]) };
  latest = { graph, definitions, scene };
  return scene;
}

/** How far ports stick out of a face. */
const OUT = 6;
const IN = 4.5;
/** Finds the way of each connection around the nodes, and those that would share a lane apart. */
function lead(ways: Map<string, Way>, boxes: ReadonlyMap<string, Box>, faces: Faces): void {
  const found = [...ways.values()].flatMap((way) => {
    const [from, to] = [boxes.get(way.edge.from), boxes.get(way.edge.to)];
    const route = way.edge.kind === "main" && from && to ? routed(way, from, to, faces) : undefined;
    return route ? [{ way, ends: way, route, source: `${way.edge.from}/${way.edge.output}`, target: `${way.edge.to}/${way.edge.input}` }] : [];
  });
  parted(found).forEach((route, index) => {
    const way = found[index]?.way;
    if (way) way.route = route;
  });
}

function wayOf(edge: Edge, graph: Graph, definitions: Definitions, boxes: Map<string, Box>): [string, Way][] {
  const [from, to] = [boxes.get(edge.from), boxes.get(edge.to)];
  const [source, target] = [graph.nodes[edge.from], graph.nodes[edge.to]];
  if (!from || !to || !source || !target) return [];
  if (edge.kind !== "main") {
    return [[edgeId(edge), { edge, sourceX: from.x + from.width / 2, sourceY: from.y, targetX: to.x + to.width / 2, targetY: to.y + to.height }]];
  }
  const way: Way = {
    edge,
    sourceX: from.x + from.width + OUT,
    sourceY: portAt(from, edge.output, portsFor(source, definitions[source.type]).outputs.length),
    targetX: to.x - IN,
    targetY: portAt(to, edge.input, portsFor(target, definitions[target.type]).inputs.length),
  };
  return [[edgeId(edge), way]];
}

const portAt = (box: Box, index: number, count: number): number => box.y + (box.height * (index + 0.5)) / Math.max(1, count);

/** The smallest box around boxes. */
export function around(boxes: readonly Box[]): Box | null {
  if (boxes.length === 0) return null;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const box of boxes) {
    left = Math.min(left, box.x);
    top = Math.min(top, box.y);
    right = Math.max(right, box.x + box.width);
    bottom = Math.max(bottom, box.y + box.height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

export const meets = (left: Box, right: Box): boolean =>
  left.x < right.x + right.width && right.x < left.x + left.width && left.y < right.y + right.height && right.y < left.y + left.height;

/** What two boxes share; null where they don't meet. */
export function common(left: Box, right: Box): Box | null {
  if (!meets(left, right)) return null;
  const [x, y] = [Math.max(left.x, right.x), Math.max(left.y, right.y)];
  return { x, y, width: Math.min(left.x + left.width, right.x + right.width) - x, height: Math.min(left.y + left.height, right.y + right.height) - y };
}

export const grown = (box: Box, by: number): Box => ({ x: box.x - by, y: box.y - by, width: box.width + 2 * by, height: box.height + 2 * by });

/** The nodes that a box touches. */
export const within = (scene: Scene, box: Box): string[] => [...scene.boxes].flatMap(([id, each]) => (meets(each, box) ? [id] : []));

/** The topmost node at a point. */
export const nodeAt = (scene: Scene, x: number, y: number): string | null =>
  [...scene.boxes].findLast(([, box]) => x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height)?.[0] ?? null;

/** The box that a view shows: `transform` as React Flow has it, the size in pixels. */
export const seen = ([x, y, zoom]: readonly [number, number, number], width: number, height: number): Box =>
  ({ x: -x / zoom, y: -y / zoom, width: width / zoom, height: height / zoom });

/** A box around a connection, its bends counted in. */
export function boxOfWay({ edge, sourceX, sourceY, targetX, targetY, route }: Way): Box {
  const back = leadsBack(edge.kind, sourceX, targetX);
  const [left, right] = [Math.min(sourceX, targetX, route?.left ?? sourceX), Math.max(sourceX, targetX, route?.right ?? sourceX)];
  const [top, bottom] = [Math.min(sourceY, targetY, route?.y ?? sourceY), Math.max(sourceY, targetY, route?.y ?? sourceY)];
  return grown({ x: left, y: top, width: right - left, height: bottom - top }, back ? ASIDE + BELOW : ASIDE);
}

/** How far a curve may reach out beside its ends, and a way back under them. */
const ASIDE = 60;
const BELOW = 20;

/** The ends of the connection that passes a point within a distance; none where there is none. */
export function endsAt(scene: Scene, x: number, y: number, distance: number): string[] {
  const point: Box = { x, y, width: 0, height: 0 };
  for (const way of scene.ways.values()) {
    if (way.edge.kind !== "main" || !meets(grown(point, distance + 1), boxOfWay(way))) continue;
    const points = along(way, way.route);
    if (points.some((to, index) => index > 0 && distanceTo([x, y], points[index - 1] ?? to, to) <= distance)) return [way.edge.from, way.edge.to];
  }
  return [];
}

/** From a point to a piece of a line. */
function distanceTo([x, y]: [number, number], [fromX, fromY]: [number, number], [toX, toY]: [number, number]): number {
  const length = (toX - fromX) ** 2 + (toY - fromY) ** 2;
  const at = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - fromX) * (toX - fromX) + (y - fromY) * (toY - fromY)) / length));
  return Math.hypot(x - fromX - at * (toX - fromX), y - fromY - at * (toY - fromY));
}
