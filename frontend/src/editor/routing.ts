import { type Box, meets, type Way } from "./scene";

/**
 * Where a connection runs that can't go straight to its end: along a horizontal lane at `y`, in canvas units. One that leads
 * forward bends into it before `left` and out of it after `right`; a way back (`back`) goes down or up at `right` and `left`.
 */
export interface Route {
  back: boolean;
  y: number;
  left: number;
  right: number;
  /** Where there is room for another lane beside it: below (1) or above (-1). */
  away: 1 | -1;
}

export type Ends = Pick<Way, "sourceX" | "sourceY" | "targetX" | "targetY">;
export type Point = [number, number];

const BACKWARDS = 20;
/** How far lines stay away from nodes, and from each other. */
const CLEAR = 26;
const APART = 12;
/** Less than ports stick out of a face. */
const NEAR = 4;
/** How far a way back goes out beside its ends. */
const OUTWARDS = 30;
const ROUND = 18;
/** Where nothing else says: so far a way back passes under its ends. */
const DROP = 59;
/** A line is looked at every so many canvas units, at so many points at most. */
const STEP = 40;
const MOST_STEPS = 2000;

/** Whether a connection leads back, as loops do. */
export const leadsBack = (kind: string, sourceX: number, targetX: number): boolean => kind === "main" && targetX < sourceX - BACKWARDS;

const besides = ({ sourceX, sourceY, targetX, targetY }: Ends, y = Math.max(sourceY, targetY) + DROP, away: Route["away"] = 1): Route => ({ back: true, y, away, left: targetX - OUTWARDS, right: sourceX + OUTWARDS });

/** How far the handles of a curve reach, as React Flow's own curves have it. */
export const reach = (distance: number): number => (distance >= 0 ? distance / 2 : 0.25 * 25 * Math.sqrt(-distance));

const stepsBetween = ([x, y]: Point, [toX, toY]: Point, least: number): number => Math.min(MOST_STEPS, Math.max(least, Math.ceil((Math.abs(toX - x) + Math.abs(toY - y)) / STEP)));

const around = (box: Box, x: number, y: number, by: number): boolean => x > box.x - by && x < box.x + box.width + by && y > box.y - by && y < box.y + box.height + by;

function curve([x, y]: Point, [toX, toY]: Point): Point[] {
  const half = reach(toX - x);
  const steps = stepsBetween([x, y], [toX, toY], 8);
  return Array.from({ length: steps + 1 }, (_, step): Point => {
    const at = step / steps;
    const [left, right] = [3 * at * (1 - at) ** 2, 3 * at ** 2 * (1 - at)];
    return [(1 - at) ** 3 * x + left * (x + half) + right * (toX - half) + at ** 3 * toX, ((1 - at) ** 3 + left) * y + (right + at ** 3) * toY];
  });
}

function straight([x, y]: Point, [toX, toY]: Point): Point[] {
  const steps = stepsBetween([x, y], [toX, toY], 1);
  return Array.from({ length: steps + 1 }, (_, step): Point => [x + ((toX - x) * step) / steps, y + ((toY - y) * step) / steps]);
}

const corners = ({ sourceX, sourceY, targetX, targetY }: Ends, { y, left, right }: Route): Point[] => [[sourceX, sourceY], [right, sourceY], [right, y], [left, y], [left, targetY], [targetX, targetY]];

/** Points along a connection, close to each other. */
export function along(ends: Ends, route: Route | undefined): Point[] {
  const [from, to]: [Point, Point] = [[ends.sourceX, ends.sourceY], [ends.targetX, ends.targetY]];
  const taken = routeOf(ends, route);
  if (!taken) return curve(from, to);
  if (!taken.back) return [...curve(from, [taken.left, taken.y]), ...straight([taken.left, taken.y], [taken.right, taken.y]), ...curve([taken.right, taken.y], to)];
  const turns = corners(ends, taken);
  return turns.slice(1).flatMap((point, index) => straight(turns[index] ?? point, point));
}

/** The route, as far as it fits the ends: those of a node that is dragged may have left it. */
function routeOf(ends: Ends, route: Route | undefined): Route | undefined {
  if (leadsBack("main", ends.sourceX, ends.targetX)) return route?.back ? route : besides(ends);
  return route && !route.back && route.left > ends.sourceX && route.right < ends.targetX ? route : undefined;
}

/** A line with round corners. */
function rounded(points: Point[]): string {
  let path = `M${String(points[0]?.[0])} ${String(points[0]?.[1])}`;
  for (let index = 1; index < points.length - 1; index++) {
    const [[x0, y0], [x, y], [x1, y1]] = [points[index - 1], points[index], points[index + 1]] as [Point, Point, Point];
    const [into, out] = [Math.abs(x - x0) + Math.abs(y - y0), Math.abs(x1 - x) + Math.abs(y1 - y)];
    const by = Math.min(ROUND, into / 2, out / 2);
    path += `L${x - Math.sign(x - x0) * by} ${y - Math.sign(y - y0) * by}Q${x} ${y} ${x + Math.sign(x1 - x) * by} ${y + Math.sign(y1 - y) * by}`;
  }
  return `${path}L${String(points.at(-1)?.[0])} ${String(points.at(-1)?.[1])}`;
}

const bend = ([x, y]: Point, [toX, toY]: Point): string => `C${x + reach(toX - x)} ${y} ${toX - reach(toX - x)} ${toY} ${toX} ${toY}`;

/** How a connection is drawn. `x`, `y`: its middle, for a label; `turned`: its lane leads to the left. */
export interface Line {
  path: string;
  x: number;
  y: number;
  turned: boolean;
}

export function lineOf(ends: Ends, route: Route | undefined): Line {
  const { sourceX, sourceY, targetX, targetY } = ends;
  const taken = routeOf(ends, route);
  if (!taken) {
    const path = Math.abs(sourceY - targetY) < 0.5 && targetX > sourceX ? `L${targetX} ${targetY}` : bend([sourceX, sourceY], [targetX, targetY]);
    return { path: `M${sourceX} ${sourceY}${path}`, x: (sourceX + targetX) / 2, y: (sourceY + targetY) / 2, turned: false };
  }
  const { y, left, right, back } = taken;
  const middle = { x: (left + right) / 2, y, turned: back };
  if (back) return { path: rounded(corners(ends, taken)), ...middle };
  return { path: `M${sourceX} ${sourceY}${bend([sourceX, sourceY], [left, y])}L${right} ${y}${bend([right, y], [targetX, targetY])}`, ...middle };
}

/** Faces by where they lie, so that few are looked at for each connection. */
export class Faces {
  private static readonly CELL = 300;
  private readonly columns = new Map<number, Box[]>();

  constructor(boxes: Iterable<Box>) {
    for (const box of boxes) {
      for (const column of Faces.cells(box.x, box.x + box.width)) {
        const held = this.columns.get(column);
        if (held) held.push(box);
        else this.columns.set(column, [box]);
      }
    }
  }

  private static cells(left: number, right: number): number[] {
    const first = Math.floor(left / Faces.CELL);
    return Array.from({ length: Math.floor(right / Faces.CELL) - first + 1 }, (_, index) => first + index);
  }

  /** Faces between two sides, and between a top and a bottom where these are given. */
  within(left: number, right: number, top = -Infinity, bottom = Infinity): Box[] {
    const found = new Set<Box>();
    const [first, last] = [Math.floor(left / Faces.CELL), Math.floor(right / Faces.CELL)];
    // a node may lie as far away as numbers go
    const cells = last - first < this.columns.size ? Faces.cells(left, right) : [...this.columns.keys()].filter((cell) => cell >= first && cell <= last).sort((one, other) => one - other);
    for (const cell of cells) {
      for (const box of this.columns.get(cell) ?? []) if (box.y < bottom && box.y + box.height > top && box.x < right && box.x + box.width > left) found.add(box);
    }
    return [...found];
  }
}

const hits = (points: Point[], boxes: readonly Box[], by: number): Box[] => boxes.filter((box) => points.some(([x, y]) => around(box, x, y, by)));

/** What lies close by a straight line, or a curve, between two points. */
const room = ([x, y]: Point, [toX, toY]: Point): Box => ({ x: Math.min(x, toX) - NEAR, y: Math.min(y, toY) - NEAR, width: Math.abs(toX - x) + 2 * NEAR, height: Math.abs(toY - y) + 2 * NEAR });

/** How many nodes a route runs behind, or close by. */
function covered(ends: Ends, route: Route, boxes: readonly Box[]): number {
  const between = (from: Point, to: Point) => {
    const near = room(from, to);
    return boxes.filter((box) => meets(near, box));
  };
  if (route.back) {
    const turns = corners(ends, route);
    return new Set(turns.slice(1).flatMap((point, index) => between(turns[index] ?? point, point))).size;
  }
  const [left, right]: [Point, Point] = [[route.left, route.y], [route.right, route.y]];
  const bends: [Point, Point][] = [[[ends.sourceX, ends.sourceY], left], [right, [ends.targetX, ends.targetY]]];
  return new Set([...between(left, right), ...bends.flatMap(([from, to]) => hits(curve(from, to), between(from, to), NEAR))]).size;
}

/** How much longer a way may be that doesn't cross those of the same node's other outputs. */
const CROSSING = 200;

/**
 * The cheapest of routes: over the fewest nodes first, then the shortest. `side`: where the output lies, seen from the
 * middle of its node: above (-1), below (1).
 */
function best(ends: Ends, routes: Route[], boxes: readonly Box[], side = 0): Route | undefined {
  let [found, least]: [Route | undefined, number] = [undefined, Infinity];
  // of two that are as long, the one under its nodes: loops are looked for there
  const extra = ({ back, away }: Route) => (back ? (away < 0 ? CLEAR : 0) : side * away < 0 ? CROSSING : 0);
  const far = (route: Route) => Math.abs(route.y - ends.sourceY) + Math.abs(route.y - ends.targetY) + extra(route);
  for (const route of routes.sort((one, other) => far(one) - far(other))) {
    if (far(route) >= least) break;
    const cost = far(route) + covered(ends, route, boxes) * 10_000;
    if (cost < least) [found, least] = [route, cost];
  }
  return found;
}

/** Lanes under and over a node. */
const besideOf = (box: Box): [number, Route["away"]][] => [[box.y + box.height + CLEAR, 1], [box.y - CLEAR, -1]];

/** How a connection gets to its end without running behind a node; undefined where nothing is in its way. `from`, `to`: its ends. */
export function routed(ends: Ends, from: Box, to: Box, faces: Faces): Route | undefined {
  const { sourceX, targetX } = ends;
  if (leadsBack("main", sourceX, targetX)) {
    const boxes = faces.within(targetX - OUTWARDS - NEAR, sourceX + OUTWARDS + NEAR);
    const least = Math.min(ends.sourceY, ends.targetY);
    const lanes = [from, to, ...boxes].flatMap((box) => besideOf(box).map(([y, away]) => besides(ends, y, away)));
    return best(ends, lanes.filter((lane) => lane.y > least), boxes);
  }
  const others = (boxes: Box[]) => boxes.filter((box) => box !== from && box !== to);
  const near = others(faces.within(sourceX, targetX, Math.min(ends.sourceY, ends.targetY), Math.max(ends.sourceY, ends.targetY)));
  const way = near.length === 0 ? near : hits(along(ends, undefined), near, 0);
  if (way.length === 0) return undefined;
  const boxes = others(faces.within(sourceX, targetX));
  const left = Math.max(sourceX + 24, Math.min(...way.map((box) => box.x)) - 24);
  const right = Math.min(targetX - 24, Math.max(...way.map((box) => box.x + box.width)) + 24);
  if (right <= left) return undefined;
  const lanes = boxes.flatMap((box) => besideOf(box).map(([y, away]): Route => ({ back: false, y, left, right, away })));
  const aside = ends.sourceY - from.y - from.height / 2;
  return best(ends, lanes, boxes, Math.abs(aside) < 1 ? 0 : Math.sign(aside));
}

/** A route of a connection between ends. `source`, `target`: the ports there. */
export interface Routed {
  ends: Ends;
  route: Route;
  source: string;
  target: string;
}

const overlap = (one: number, other: number, third: number, fourth: number): boolean => Math.min(one, other) < Math.max(third, fourth) && Math.min(third, fourth) < Math.max(one, other);

/** Whether two routes run on each other: their lanes, or what leads up or down to them. */
function share({ ends: one, route }: Routed, { ends: other, route: held }: Routed): { lane: boolean; side: boolean } {
  const lane = Math.abs(held.y - route.y) < APART && held.left < route.right && route.left < held.right;
  const near = (left: number, right: number) => Math.abs(left - right) < APART - 4;
  const side =
    route.back &&
    held.back &&
    ((near(route.right, held.right) && overlap(one.sourceY, route.y, other.sourceY, held.y)) || (near(route.left, held.left) && overlap(one.targetY, route.y, other.targetY, held.y)));
  return { lane, side };
}

/** How many may lie beside each other. */
const LANES = 5;

/**
 * Moves routes apart that run on each other, longer ones around shorter ones. Those from one port may share a lane, and
 * those that lead forward to one.
 */
export function parted(all: readonly Routed[]): Route[] {
  const placed: Routed[] = [];
  const found = new Map<Route, Route>();
  const length = ({ route: { left, right } }: Routed) => right - left;
  for (const each of [...all].sort((one, other) => length(one) - length(other))) {
    let [route, lanes, sides] = [each.route, 0, 0];
    const shared = (by: "lane" | "side") => placed.some((held) => held.source !== each.source && (held.route.back || held.target !== each.target) && share({ ...each, route }, held)[by]);
    while (lanes < LANES && sides < LANES) {
      if (shared("lane")) lanes += 1;
      else if (shared("side")) sides += 1;
      else break;
      const by = (lanes + sides) * (APART - 4);
      route = { ...each.route, y: each.route.y + each.route.away * lanes * APART, ...(each.route.back && { left: each.route.left - by, right: each.route.right + by }) };
    }
    placed.push({ ...each, route });
    found.set(each.route, route);
  }
  return all.map(({ route }) => found.get(route) ?? route);
}
