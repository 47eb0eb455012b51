import type { Colours } from "./colours";
import { type Frame, framesOf, onTheirWay, paintFrame } from "./frames";
import { connection, type Icons, paint, type Part, type Picture, ring } from "./paint";
import { around, type Box, boxOfWay, common, grown, meets, seen, type Way } from "./scene";

/** Nodes on their way, and how far they have come, in canvas units. */
export interface Moved {
  ids: ReadonlySet<string>;
  x: number;
  y: number;
}

export const AT_REST: Moved = { ids: new Set(), x: 0, y: 0 };

/** What is shown through which view; the size in CSS pixels, `ratio`: pixels of the screen in each. */
export interface View {
  transform: readonly [number, number, number];
  width: number;
  height: number;
  ratio: number;
}

/** How far a sheet reaches beyond the view, in CSS pixels, and how much it may be stretched before it is drawn anew. */
const AROUND = 320;
const SHRUNK = 0.6;
const STRETCHED = 1.6;
/** How far lines, marks and ways back reach out of what they belong to: in canvas units, and in CSS pixels. */
const OUTER = 64;
const OUTER_PIXELS = 8;

interface Content {
  /** Around the nodes that may be on the sheet; null: none is. */
  bounds: Box | null;
  draw: (canvas: OffscreenCanvasRenderingContext2D, view: Box, zoom: number) => void;
}

/** A bitmap that is shown: what it covers in canvas units, and in CSS pixels where its corner lay from the origin. */
interface Drawn {
  view: View;
  covers: Box;
  left: number;
  top: number;
}

/**
 * A part of the picture on a canvas of its own that is larger than the view. Moving the view shifts or stretches it as a
 * layer of the page, which draws nothing; it is drawn anew where it no longer covers the view. The canvas only holds a
 * bitmap, since Chromium copies one that can be drawn on in every frame.
 */
class Sheet {
  private readonly canvas = document.createElement("canvas");
  private readonly shown = this.canvas.getContext("bitmaprenderer");
  private readonly ground = new OffscreenCanvas(1, 1);
  private drawn: Drawn | null = null;

  constructor(holder: HTMLElement) {
    this.canvas.hidden = true;
    holder.append(this.canvas);
  }

  forget(): void {
    this.drawn = null;
  }

  /** `sharp`: the view rests, nothing is to look stretched; `reach`: how far beyond the view it is drawn, in CSS pixels. */
  show(view: View, { bounds, draw }: Content, sharp: boolean, reach = AROUND): void {
    const needed = bounds && common(seen(view.transform, view.width, view.height), outer(bounds, view));
    if (this.canvas.hidden !== !needed) this.canvas.hidden = !needed;
    if (!bounds || !needed) return;
    if (!this.drawn || !fits(this.drawn, view, needed, sharp)) this.drawn = this.redraw(view, bounds, reach, draw);
    if (!this.drawn) return;
    const { transform: [x, y, zoom], ratio } = view;
    const stretch = zoom / this.drawn.view.transform[2];
    const snapped = (at: number) => (stretch === 1 ? Math.round(at * ratio) / ratio : at);
    this.canvas.style.transform = `translate(${snapped(x + this.drawn.left * stretch)}px, ${snapped(y + this.drawn.top * stretch)}px) scale(${stretch})`;
  }

  private redraw(view: View, bounds: Box, reach: number, draw: Content["draw"]): Drawn | null {
    const { transform: [x, y, zoom], width, height, ratio } = view;
    const covers = common(grown(seen(view.transform, width, height), reach / zoom), outer(bounds, view));
    const context = this.ground.getContext("2d");
    if (!covers || !context) return null;
    const pixel = (at: number) => Math.floor(at * ratio) / ratio;
    const [left, top] = [pixel(x + covers.x * zoom), pixel(y + covers.y * zoom)];
    const size = { width: Math.ceil(covers.width * zoom * ratio) + 1, height: Math.ceil(covers.height * zoom * ratio) + 1 };
    Object.assign(this.ground, size);
    Object.assign(this.canvas.style, { width: `${size.width / ratio}px`, height: `${size.height / ratio}px` });
    context.setTransform(ratio * zoom, 0, 0, ratio * zoom, ratio * (x - left), ratio * (y - top));
    context.imageSmoothingQuality = "high";
    draw(context, covers, zoom);
    this.shown?.transferFromImageBitmap(this.ground.transferToImageBitmap());
    return { view, covers, left: left - x, top: top - y };
  }
}

const outer = (bounds: Box, { transform: [, , zoom] }: View): Box => grown(bounds, OUTER + OUTER_PIXELS / zoom);

function fits({ view: drawn, covers }: Drawn, view: View, needed: Box, sharp: boolean): boolean {
  if (drawn.width !== view.width || drawn.height !== view.height || drawn.ratio !== view.ratio) return false;
  const stretch = view.transform[2] / drawn.transform[2];
  if (stretch < SHRUNK || stretch > STRETCHED || (sharp && stretch !== 1)) return false;
  const inside = grown(covers, 1 / drawn.transform[2]);
  const all = common(needed, inside);
  return all !== null && Math.abs(all.width - needed.width) < 1e-6 && Math.abs(all.height - needed.height) < 1e-6;
}

const shiftedBy = (view: View, { x, y }: Moved): View => {
  const { transform: [left, top, zoom] } = view;
  return { ...view, transform: [left + x * zoom, top + y * zoom, zoom] };
};

/** What the sheets are to show. `selection`: chosen nodes, which get a ring; `sharp`: the view rests. */
export interface Shown {
  picture: Picture;
  moved: Moved;
  selection: readonly string[];
  sharp: boolean;
  colours: Colours;
  icon: Icons;
}

/**
 * The painted picture: what rests, the rings of what is chosen, and what is being moved; only connections between what
 * rests and what moves, and frames of groups that are moved in part, are drawn in every frame.
 */
export class Sheets {
  private readonly pulledFrames: Sheet;
  private readonly resting: Sheet;
  private readonly rings: Sheet;
  private readonly between: Sheet;
  private readonly moving: Sheet;
  private moved: ReadonlySet<string> = new Set();
  private selection: readonly string[] = [];
  private crossing: Way[] | null = null;

  constructor(holder: HTMLElement) {
    this.pulledFrames = new Sheet(holder);
    this.resting = new Sheet(holder);
    this.rings = new Sheet(holder);
    this.between = new Sheet(holder);
    this.moving = new Sheet(holder);
  }

  /** The picture has changed: all of it is drawn anew. */
  forget(): void {
    this.crossing = null;
    for (const sheet of [this.pulledFrames, this.resting, this.rings, this.between, this.moving]) sheet.forget();
  }

  show(view: View, shown: Shown): void {
    const { picture, moved, selection, sharp } = shown;
    if (moved.ids !== this.moved) this.forget();
    else if (selection !== this.selection) this.rings.forget();
    this.moved = moved.ids;
    this.selection = selection;
    const { ids } = moved;
    const { bounds, boxes } = picture.scene;
    this.resting.show(view, content(shown, ids.size < boxes.size ? bounds : null, { node: (id) => !ids.has(id), way: ({ edge }) => !ids.has(edge.from) && !ids.has(edge.to) }), sharp);
    this.rings.show(view, ringsOf(shown, boxesOf(picture, selection.filter((id) => !ids.has(id)))), sharp, sharp ? 0 : AROUND);
    this.pulledFrames.forget();
    this.pulledFrames.show(view, stretched(shown), sharp, 0);
    this.between.forget();
    this.between.show(view, this.pulled(shown), sharp, 0);
    this.moving.show(shiftedBy(view, moved), this.carried(shown), sharp);
  }

  /** What moves, with the rings of it: all of it is chosen. */
  private carried(shown: Shown): Content {
    const { picture, moved: { ids } } = shown;
    const boxes = boxesOf(picture, ids);
    const all = content(shown, around(boxes), { node: (id) => ids.has(id), way: ({ edge }) => ids.has(edge.from) && ids.has(edge.to) });
    const rings = ringsOf(shown, boxes);
    return {
      bounds: all.bounds,
      draw: (canvas, view, zoom) => {
        all.draw(canvas, view, zoom);
        rings.draw(canvas, view, zoom);
      },
    };
  }

  /** The connections between what rests and what moves. */
  private pulled({ picture, moved: { ids, x, y }, colours }: Shown): Content {
    this.crossing ??= ids.size === 0 ? [] : [...picture.scene.ways.values()].filter(({ edge }) => ids.has(edge.from) !== ids.has(edge.to));
    const crossing = this.crossing;
    // straight to where the end is: a route would lead to where it was
    const pulled = (way: Way): Way => {
      const { edge, sourceX, sourceY, targetX, targetY } = way;
      return ids.has(edge.from) ? { edge, sourceX: sourceX + x, sourceY: sourceY + y, targetX, targetY } : { edge, sourceX, sourceY, targetX: targetX + x, targetY: targetY + y };
    };
    const ways = crossing.map(pulled);
    return {
      bounds: around(ways.map(boxOfWay)),
      draw: (canvas, view, zoom) => { for (const way of ways) connection(canvas, picture, colours, way, view, zoom); },
    };
  }
}

const content = ({ picture, colours, icon }: Shown, bounds: Box | null, part: Part): Content => ({
  bounds,
  draw: (canvas, view, zoom) => paint(canvas, picture, part, view, zoom, colours, icon),
});

/** The frames of groups of which a part moves. */
function stretched({ picture: { graph, scene }, moved, colours }: Shown): Content {
  const { ids } = moved;
  const frames: Frame[] = ids.size === 0 ? [] : framesOf(graph, onTheirWay((id) => scene.boxes.get(id), moved)).filter(({ group: { nodeIds } }) => nodeIds.some((id) => ids.has(id)) && !nodeIds.every((id) => ids.has(id)));
  return {
    bounds: around(frames.map((frame) => frame.box)),
    draw: (canvas, _, zoom) => { for (const frame of frames) paintFrame(canvas, frame, colours, zoom); },
  };
}

const boxesOf = ({ scene }: Picture, ids: Iterable<string>): Box[] => [...ids].flatMap((id) => scene.boxes.get(id) ?? []);

const ringsOf = ({ colours }: Shown, boxes: readonly Box[]): Content => ({
  bounds: around(boxes),
  draw: (canvas, view, zoom) => { for (const box of boxes) if (meets(box, view)) ring(canvas, box, colours, zoom); },
});
