import type { Colours } from "./colours";
import { connection, type Icons, paint, type Part, type Picture, ring } from "./paint";
import { type Box, grown, meets, seen, type Way } from "./scene";

/** Nodes on their way, and how far they have come, in canvas units. */
export interface Moved {
  ids: ReadonlySet<string>;
  x: number;
  y: number;
}

/** What the canvas shows through which view; the size in CSS pixels. */
export interface View {
  transform: readonly [number, number, number];
  width: number;
  height: number;
}

/** How far a sheet reaches beyond the view, in CSS pixels, and how much it may be stretched before it is drawn anew. */
const AROUND = 320;
const SHRUNK = 0.6;
const STRETCHED = 1.6;

/** A part of the picture as a bitmap that is larger than the view: moving the view only shifts it. */
class Sheet {
  private readonly bitmap = new OffscreenCanvas(1, 1);
  private drawn: { transform: readonly [number, number, number]; covers: Box; width: number; height: number } | null = null;

  forget(): void {
    this.drawn = null;
  }

  /** Puts the part on the canvas; `sharp`: not stretched. */
  show(canvas: CanvasRenderingContext2D, view: View, offset: { x: number; y: number }, sharp: boolean, draw: (canvas: OffscreenCanvasRenderingContext2D, view: Box, zoom: number) => void, bounds: Box): void {
    const [left, top, zoom] = view.transform;
    const transform = [left + offset.x * zoom, top + offset.y * zoom, zoom] as const;
    const ratio = canvas.canvas.width / view.width;
    if (!this.fits(transform, view, sharp, bounds)) this.redraw(transform, view, ratio, draw);
    if (!this.drawn) return;
    const stretch = zoom / this.drawn.transform[2];
    const x = transform[0] - (this.drawn.transform[0] + AROUND) * stretch;
    const y = transform[1] - (this.drawn.transform[1] + AROUND) * stretch;
    canvas.setTransform(1, 0, 0, 1, 0, 0);
    canvas.imageSmoothingEnabled = stretch !== 1;
    canvas.drawImage(this.bitmap, Math.round(x * ratio), Math.round(y * ratio), this.bitmap.width * stretch, this.bitmap.height * stretch);
  }

  private fits(transform: readonly [number, number, number], view: View, sharp: boolean, bounds: Box): boolean {
    if (!this.drawn || this.drawn.width !== view.width || this.drawn.height !== view.height) return false;
    const stretch = transform[2] / this.drawn.transform[2];
    if (stretch < SHRUNK || stretch > STRETCHED || (sharp && stretch !== 1)) return false;
    const needed = common(seen(transform, view.width, view.height), grown(bounds, AROUND));
    const { covers } = this.drawn;
    return !needed || (needed.x >= covers.x && needed.y >= covers.y && needed.x + needed.width <= covers.x + covers.width && needed.y + needed.height <= covers.y + covers.height);
  }

  private redraw(transform: readonly [number, number, number], { width, height }: View, ratio: number, draw: (canvas: OffscreenCanvasRenderingContext2D, view: Box, zoom: number) => void): void {
    const canvas = this.bitmap.getContext("2d");
    if (!canvas) return;
    const [x, y, zoom] = transform;
    const [wide, high] = [Math.round((width + 2 * AROUND) * ratio), Math.round((height + 2 * AROUND) * ratio)];
    if (this.bitmap.width !== wide || this.bitmap.height !== high) Object.assign(this.bitmap, { width: wide, height: high });
    canvas.setTransform(1, 0, 0, 1, 0, 0);
    canvas.clearRect(0, 0, wide, high);
    canvas.setTransform(ratio * zoom, 0, 0, ratio * zoom, ratio * (x + AROUND), ratio * (y + AROUND));
    canvas.imageSmoothingQuality = "high";
    const covers = grown(seen(transform, width, height), AROUND / zoom);
    draw(canvas, covers, zoom);
    this.drawn = { transform, covers, width, height };
  }
}

const common = (left: Box, right: Box): Box | null => {
  if (!meets(left, right)) return null;
  const [x, y] = [Math.max(left.x, right.x), Math.max(left.y, right.y)];
  return { x, y, width: Math.min(left.x + left.width, right.x + right.width) - x, height: Math.min(left.y + left.height, right.y + right.height) - y };
};

/** Sets the canvas to canvas units; returns what it shows. */
function place(canvas: CanvasRenderingContext2D, { transform, width, height }: View): Box {
  const [left, top, zoom] = transform;
  const ratio = canvas.canvas.width / width;
  canvas.setTransform(ratio * zoom, 0, 0, ratio * zoom, ratio * left, ratio * top);
  return seen(transform, width, height);
}

/** The painted picture: what rests and what is being moved are a bitmap each; only connections between them are drawn in every frame. */
export class Sheets {
  private readonly resting = new Sheet();
  private readonly moving = new Sheet();
  private moved: ReadonlySet<string> = new Set();

  /** The picture has changed: all of it is drawn anew. */
  forget(): void {
    this.resting.forget();
    this.moving.forget();
  }

  /** `selection`: chosen nodes, which get a ring; `sharp`: the view rests, nothing is to look stretched. */
  show(canvas: CanvasRenderingContext2D, picture: Picture, view: View, moved: Moved, selection: readonly string[], sharp: boolean, colours: Colours, icon: Icons): void {
    if (moved.ids !== this.moved) this.forget();
    this.moved = moved.ids;
    canvas.setTransform(1, 0, 0, 1, 0, 0);
    canvas.clearRect(0, 0, canvas.canvas.width, canvas.canvas.height);
    const { bounds } = picture.scene;
    if (!bounds) return;
    const painter = (part: Part) => (on: OffscreenCanvasRenderingContext2D, seen: Box, zoom: number) => paint(on, picture, part, seen, zoom, colours, icon);
    const { ids } = moved;
    this.resting.show(canvas, view, { x: 0, y: 0 }, sharp, painter({ node: (id) => !ids.has(id), way: ({ edge }) => !ids.has(edge.from) && !ids.has(edge.to) }), bounds);
    if (ids.size > 0) {
      this.between(canvas, picture, view, moved, colours);
      this.moving.show(canvas, view, moved, sharp, painter({ node: (id) => ids.has(id), way: ({ edge }) => ids.has(edge.from) && ids.has(edge.to) }), bounds);
    }
    this.rings(canvas, picture, view, moved, selection, colours);
  }

  private rings(canvas: CanvasRenderingContext2D, { scene }: Picture, view: View, { ids, x, y }: Moved, selection: readonly string[], colours: Colours): void {
    const shown = place(canvas, view);
    for (const id of selection) {
      const box = scene.boxes.get(id);
      if (!box) continue;
      const at = ids.has(id) ? { ...box, x: box.x + x, y: box.y + y } : box;
      if (meets(at, shown)) ring(canvas, at, colours, view.transform[2]);
    }
  }

  private between(canvas: CanvasRenderingContext2D, picture: Picture, view: View, { ids, x, y }: Moved, colours: Colours): void {
    const shown = place(canvas, view);
    for (const way of picture.scene.ways.values()) {
      const [from, to] = [ids.has(way.edge.from), ids.has(way.edge.to)];
      if (from === to) continue;
      const pulled: Way = { ...way, sourceX: way.sourceX + (from ? x : 0), sourceY: way.sourceY + (from ? y : 0), targetX: way.targetX + (to ? x : 0), targetY: way.targetY + (to ? y : 0) };
      connection(canvas, picture, colours, pulled, shown, view.transform[2]);
    }
  }
}
