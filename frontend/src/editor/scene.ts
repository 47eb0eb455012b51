import type { NodeDefinition } from "../forms/definition";
import { type Edge, edgeId, type Graph, STICKY_NOTE } from "../graph/document";
import { portsFor } from "./definitions";
import { heightOf, NODE_WIDTH, noteSize, toCanvas } from "./geometry";

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
  /** The bottom of the nodes that a way back (of a loop) passes under; undefined for any other. */
  under?: number;
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
  const ways = new Map(graph.edges.flatMap((edge) => wayOf(edge, graph, definitions, boxes, faces)));
  const scene = { boxes, ways, bounds: around([...boxes.values()]) };
  latest = { graph, definitions, scene };
  return scene;
}

/** How far ports stick out of a face. */
const OUT = 6;
const IN = 4.5;
const BACKWARDS = 20;

/** Whether a connection leads back, as loops do. */
export const leadsBack = (kind: string, sourceX: number, targetX: number): boolean => kind === "main" && targetX < sourceX - BACKWARDS;

function wayOf(edge: Edge, graph: Graph, definitions: Definitions, boxes: Map<string, Box>, faces: [string, Box][]): [string, Way][] {
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
  if (leadsBack(edge.kind, way.sourceX, way.targetX)) way.under = lowest(faces, way.targetX, way.sourceX, Math.max(from.y + from.height, to.y + to.height));
  return [[edgeId(edge), way]];
}

const portAt = (box: Box, index: number, count: number): number => box.y + (box.height * (index + 0.5)) / Math.max(1, count);

/** Room that a way back needs between nodes: it passes in the middle of it. */
const LANE = 56;

/** The bottom of the nodes that a way back passes under: those at its ends, and what lies so near below that there is no lane between. */
function lowest(faces: [string, Box][], left: number, right: number, from: number): number {
  const between = faces.map(([, box]) => box).filter((box) => box.x + box.width > left && box.x < right && box.y + box.height > from).sort((one, other) => one.y - other.y);
  let low = from;
  for (const box of between) {
    if (box.y - low >= LANE) break;
    low = Math.max(low, box.y + box.height);
  }
  return low;
}

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

const STEPS = 16;

/** The ends of the connection that passes a point within a distance; none where there is none. */
export function endsAt(scene: Scene, x: number, y: number, distance: number): string[] {
  for (const { edge, sourceX, sourceY, targetX, targetY, under } of scene.ways.values()) {
    const room = grown(around([{ x: sourceX, y: sourceY, width: 0, height: 0 }, { x: targetX, y: targetY, width: 0, height: 0 }]) ?? NOWHERE, distance + 60);
    if (under !== undefined || x < room.x || x > room.x + room.width || y < room.y || y > room.y + room.height) continue;
    const half = (targetX - sourceX) / 2;
    for (let step = 0; step <= STEPS; step++) {
      const at = step / STEPS;
      const [left, right] = [3 * at * (1 - at) ** 2, 3 * at ** 2 * (1 - at)];
      const px = (1 - at) ** 3 * sourceX + left * (sourceX + half) + right * (targetX - half) + at ** 3 * targetX;
      const py = ((1 - at) ** 3 + left) * sourceY + (right + at ** 3) * targetY;
      if (Math.hypot(px - x, py - y) <= Math.max(distance, Math.hypot(targetX - sourceX, targetY - sourceY) / STEPS / 1.5)) return [edge.from, edge.to];
    }
  }
  return [];
}

const NOWHERE: Box = { x: 0, y: 0, width: 0, height: 0 };
