import { type Graph, STICKY_NOTE } from "../graph/document";
import type { NodeDefinition } from "../forms/definition";
import type { Colours } from "./colours";
import { portsFor } from "./definitions";
import { isTrigger, nameOfKind } from "./faces";
import { framesOf, paintFrame } from "./frames";
import { noteSize } from "./geometry";
import { lineOf, reach } from "./routing";
import { type Box, boxOfWay, meets, type Scene, type Way } from "./scene";
import type { Run } from "./store";

/** What there is to draw. */
export interface Picture {
  scene: Scene;
  graph: Graph;
  definitions: Record<string, NodeDefinition | null>;
  run: Run | null;
}

type Canvas = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** What of it is drawn: which nodes, and which connections. */
export interface Part {
  node: (id: string) => boolean;
  way: (way: Way) => boolean;
}

const FONT = '"Inter", ui-sans-serif, system-ui, sans-serif';
/** Below these zooms names can't be read, then not even as one large line. */
const DETAILED = 0.5;
const NAMED = 0.3;

export type Icons = (type: string) => CanvasImageSource | null;

/** Draws a part of a picture on a canvas whose transform is set; `view`: what can be seen of it, `zoom`: how large. */
export function paint(canvas: Canvas, picture: Picture, part: Part, view: Box, zoom: number, colours: Colours, icon: Icons): void {
  const { scene, graph } = picture;
  const shown = [...scene.boxes].filter(([id, box]) => part.node(id) && meets(box, view));
  for (const frame of framesOf(graph, (id) => scene.boxes.get(id))) if (frame.group.nodeIds.every(part.node)) paintFrame(canvas, frame, colours, zoom);
  for (const [id, box] of shown) if (graph.nodes[id]?.type === STICKY_NOTE) note(canvas, picture, colours, id, box);
  for (const way of scene.ways.values()) if (part.way(way)) connection(canvas, picture, colours, way, view, zoom);
  for (const [id, box] of shown) if (graph.nodes[id]?.type !== STICKY_NOTE) face(canvas, picture, colours, icon, id, box, zoom);
}

function note(canvas: Canvas, picture: Picture, colours: Colours, id: string, box: Box): void {
  const node = picture.graph.nodes[id];
  if (!node) return;
  const colour = `note-${((noteSize(node).color - 1) % 7) + 1}` as keyof Colours;
  canvas.fillStyle = colours[colour];
  canvas.beginPath();
  canvas.roundRect(box.x, box.y, box.width, box.height, 10);
  canvas.fill();
}

/** The tip of an arrow that leads to the right, or to the left. */
export const tip = (x: number, y: number, turned = false): string => `M${x} ${y}l${turned ? 9 : -9} -5v10z`;

/** Draws a connection. Of one that is dragged at an end, `way` says where that end is. */
export function connection(canvas: Canvas, picture: Picture, colours: Colours, way: Way, view: Box, zoom: number): void {
  const { edge, sourceX: sx, sourceY: sy, targetX: tx, targetY: ty } = way;
  if (!meets(boxOfWay(way), view)) return;
  const state = picture.run?.nodes[picture.graph.nodes[edge.from]?.name ?? ""];
  const done = (state?.counts[edge.output] ?? 0) > 0;
  canvas.strokeStyle = done ? colours.good : state?.status === "running" ? colours.busy : colours.wire;
  canvas.lineWidth = Math.max(2, 0.8 / zoom);
  if (edge.kind !== "main") {
    canvas.setLineDash([4, 4]);
    canvas.beginPath();
    canvas.moveTo(sx, sy);
    canvas.bezierCurveTo(sx, sy - reach(sy - ty), tx, ty + reach(sy - ty), tx, ty);
    canvas.stroke();
    canvas.setLineDash([]);
    return;
  }
  const line = lineOf(way, way.route);
  canvas.stroke(new Path2D(line.path));
  if (zoom < NAMED) return;
  canvas.fillStyle = canvas.strokeStyle;
  canvas.fill(new Path2D(tip(tx, ty) + (line.turned ? tip(line.x, line.y, true) : "")));
}

const BORDER = 1.5;

function face(canvas: Canvas, picture: Picture, colours: Colours, icon: Icons, id: string, box: Box, zoom: number): void {
  const node = picture.graph.nodes[id];
  if (!node) return;
  const definition = picture.definitions[node.type];
  const state = picture.run?.nodes[node.name];
  const trigger = isTrigger(definition, portsFor(node, definition));
  const dashed = node.disabled === true || definition === null;
  const edge = { success: colours.good, error: colours.bad, waiting: colours.wait, running: colours.busy, cancelled: colours["line-strong"] };
  const far = zoom < NAMED;
  canvas.fillStyle = node.disabled ? colours.sunken : colours.raised;
  canvas.strokeStyle = state ? edge[state.status] : definition === null ? colours.bad : colours["line-strong"];
  canvas.lineWidth = Math.max(BORDER, (state ? 2 : 1) / zoom);
  if (far) {
    canvas.fillRect(box.x, box.y, box.width, box.height);
    canvas.strokeRect(box.x, box.y, box.width, box.height);
    mark(canvas, colours, icon(node.type), box, zoom);
    if (state?.status === "error" || state?.status === "success") {
      canvas.globalAlpha = 0.25;
      canvas.fillStyle = edge[state.status];
      canvas.fillRect(box.x, box.y, box.width, box.height);
      canvas.globalAlpha = 1;
    }
    return;
  }
  const inset = BORDER / 2;
  canvas.beginPath();
  canvas.roundRect(box.x + inset, box.y + inset, box.width - BORDER, box.height - BORDER, trigger ? [30.25, 12.25, 12.25, 30.25] : 12.25);
  canvas.fill();
  if (dashed) canvas.setLineDash([4, 3]);
  canvas.stroke();
  if (dashed) canvas.setLineDash([]);
  if (state?.status === "running") halo(canvas, colours.busy, 0.2, 8);
  canvas.globalAlpha = node.disabled ? 0.55 : 1;
  const left = box.x + (trigger ? 13.5 : 12.5);
  const top = box.y + (box.height - TILE) / 2;
  canvas.fillStyle = colours.tile;
  canvas.beginPath();
  canvas.roundRect(left, top, TILE, TILE, trigger ? TILE / 2 : 10);
  canvas.fill();
  const drawn = icon(node.type);
  if (drawn) canvas.drawImage(drawn, left + (TILE - ICON) / 2, top + (TILE - ICON) / 2, ICON, ICON);
  canvas.globalAlpha = 1;
  words(canvas, node.disabled ? { ...colours, ink: colours["ink-soft"] } : colours, node.name, nameOfKind(node, definition), box, left + TILE + 11, zoom);
  if (state?.status === "error" || state?.status === "success") badge(canvas, edge[state.status], colours, box);
}

const TILE = 38;
const ICON = 22;
/** Below this size in pixels an icon is a spot. */
const LEAST_ICON = 6;

/** What a far face shows: its icon, else a spot where it would be. */
function mark(canvas: Canvas, colours: Colours, icon: CanvasImageSource | null, box: Box, zoom: number): void {
  const size = box.height * 0.62;
  const [x, y] = [box.x + (box.width - size) / 2, box.y + (box.height - size) / 2];
  if (icon && size * zoom >= LEAST_ICON) canvas.drawImage(icon, x, y, size, size);
  else {
    canvas.fillStyle = colours.line;
    canvas.fillRect(box.x + 14, box.y + box.height / 2 - 9, 70, 18);
  }
}

function halo(canvas: Canvas, colour: string, alpha: number, width: number): void {
  canvas.globalAlpha = alpha;
  canvas.strokeStyle = colour;
  canvas.lineWidth = width;
  canvas.stroke();
  canvas.globalAlpha = 1;
}

/** Marks chosen nodes. */
export function ring(canvas: Canvas, box: Box, colours: Colours, zoom: number): void {
  canvas.strokeStyle = colours.accent;
  canvas.lineWidth = Math.max(BORDER, 2 / zoom);
  if (zoom < NAMED) {
    canvas.strokeRect(box.x, box.y, box.width, box.height);
    return;
  }
  canvas.beginPath();
  canvas.roundRect(box.x, box.y, box.width, box.height, 13);
  canvas.stroke();
  halo(canvas, colours.accent, 0.22, 6);
}

/** The end of a node's run, as a dot on its corner. */
function badge(canvas: Canvas, colour: string, colours: Colours, box: Box): void {
  canvas.beginPath();
  canvas.arc(box.x + box.width - 18, box.y, 8, 0, 2 * Math.PI);
  canvas.fillStyle = colour;
  canvas.fill();
  canvas.strokeStyle = colours.raised;
  canvas.lineWidth = 3;
  canvas.stroke();
}

function words(canvas: Canvas, colours: Colours, name: string, kind: string, box: Box, left: number, zoom: number): void {
  const room = box.x + box.width - 14 - left;
  const middle = box.y + box.height / 2;
  canvas.fillStyle = colours.ink;
  canvas.textBaseline = "middle";
  if (zoom < DETAILED) {
    canvas.font = `600 20px ${FONT}`;
    canvas.fillText(lines(canvas, name, room, 1)[0] ?? "", left, middle + 1);
    return;
  }
  canvas.font = `600 13px ${FONT}`;
  const named = lines(canvas, name, room, 2);
  const second = kind && kind !== name ? kind : "";
  const height = named.length * LINE + (second ? SMALL_LINE : 0);
  named.forEach((line, index) => canvas.fillText(line, left, middle - height / 2 + LINE * (index + 0.5)));
  if (!second) return;
  canvas.fillStyle = colours["ink-soft"];
  canvas.font = `11.5px ${FONT}`;
  canvas.fillText(lines(canvas, second, room, 1)[0] ?? "", left, middle + height / 2 - SMALL_LINE / 2);
}

const LINE = 16.25;
const SMALL_LINE = 17;
const broken = new Map<string, string[]>();
const MOST_BROKEN = 5000;

/** A text broken into at most `most` lines of a width, the last one cut with an ellipsis; remembered. */
function lines(canvas: Canvas, text: string, width: number, most: 1 | 2): string[] {
  const key = `${canvas.font}\n${Math.round(width)}\n${most}\n${text}`;
  const known = broken.get(key);
  if (known) return known;
  const found = breakText(text, most, (part) => canvas.measureText(part).width <= width);
  if (broken.size >= MOST_BROKEN) broken.clear();
  broken.set(key, found);
  return found;
}

/** Breaks at spaces, else anywhere, into lines that fit. */
export function breakText(text: string, most: number, fits: (part: string) => boolean): string[] {
  if (fits(text)) return [text];
  const longest = (part: string, end: string): number => {
    let [low, high] = [0, part.length];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (fits(part.slice(0, middle).trimEnd() + end)) low = middle;
      else high = middle - 1;
    }
    return Math.max(1, low);
  };
  if (most <= 1) return [`${text.slice(0, longest(text, "…")).trimEnd()}…`];
  const hard = longest(text, "");
  const space = text.lastIndexOf(" ", hard);
  const cut = space > 0 ? space : hard;
  return [text.slice(0, cut).trimEnd(), ...breakText(text.slice(cut).trimStart(), most - 1, fits)];
}
