import { getViewportForBounds, type useReactFlow } from "@xyflow/react";
import { STICKY_NOTE } from "../graph/document";
import { shownGraph } from "./folding";
import { around, type Box, grown, sceneOf } from "./scene";
import type { EditorStore } from "./store";

export const LEAST_ZOOM = 0.05;
const PADDING = 0.12;
const GLIDE_MS = 200;
/** As large as faces get by themselves: the page's own zoom (theme/tokens.css). */
const mostZoom = () => Number(getComputedStyle(document.documentElement).getPropertyValue("--zoom")) || 1;

/** Moves the view so that all nodes, or the chosen ones, are in it. */
export function fit(store: EditorStore, flow: ReturnType<typeof useReactFlow>, { ids, glide = true }: { ids?: readonly string[]; glide?: boolean } = {}): void {
  const { definitions } = store.getState();
  const scene = sceneOf(shownGraph(store.getState()), definitions);
  const box = ids ? around(ids.map((id) => scene.boxes.get(id)).filter((each) => each !== undefined)) : scene.bounds;
  const stage = document.querySelector(".stage")?.getBoundingClientRect();
  if (!box || !stage) return;
  void flow.setViewport(getViewportForBounds(box, stage.width, stage.height, LEAST_ZOOM, mostZoom(), PADDING), glide ? { duration: GLIDE_MS } : {});
}

/** How wide a small screen is at most, in pixels. */
const SMALL = 640;
const EDGE = 24;
/** Below this zoom a face on a small screen can't be read. */
const READABLE = 0.65;
/** Where a small screen shows the first node, as a share of its height: above what lies at the foot. */
const ABOVE = 0.4;

/** The first view of a workflow: all of it, or on a small screen where it begins, so that it can be read. */
export function begin(store: EditorStore, flow: ReturnType<typeof useReactFlow>): void {
  const graph = shownGraph(store.getState());
  const { boxes } = sceneOf(graph, store.getState().definitions);
  const stage = document.querySelector(".stage")?.getBoundingClientRect();
  fit(store, flow, { glide: false });
  const steps = [...boxes].filter(([id]) => graph.nodes[id]?.type !== STICKY_NOTE);
  const first = steps.reduce<Box | null>((least, [, box]) => (least && least.x <= box.x ? least : box), null);
  if (!stage || !first || stage.width > SMALL || flow.getZoom() >= READABLE) return;
  void flow.setViewport({ x: EDGE - first.x * READABLE, y: stage.height * ABOVE - (first.y + first.height / 2) * READABLE, zoom: READABLE });
}

/** What hangs on outputs: their labels and the button that adds a node there, in canvas units. */
const AFTER = 110;
/** What the bar below covers. */
const BELOW = 60;

/** Moves the view just so far that nodes are in it; where they are too large for it, it shows them whole. */
export function bringIn(store: EditorStore, flow: ReturnType<typeof useReactFlow>, ids: readonly string[]): void {
  const { boxes } = sceneOf(shownGraph(store.getState()), store.getState().definitions);
  const box = around(ids.flatMap((id) => boxes.get(id) ?? []));
  const stage = document.querySelector(".stage")?.getBoundingClientRect();
  if (!box || !stage) return;
  const inner = grown(stage, -EDGE);
  const [least, most] = [flow.flowToScreenPosition(box), flow.flowToScreenPosition({ x: box.x + box.width + AFTER, y: box.y + box.height })];
  if (most.x - least.x > inner.width || most.y - least.y > inner.height - BELOW) {
    fit(store, flow, { ids });
    return;
  }
  const by = (from: number, to: number, start: number, end: number) => (from < start ? start - from : Math.min(0, Math.max(end - to, start - from)));
  const [x, y] = [by(least.x, most.x, inner.x, inner.x + inner.width), by(least.y, most.y, inner.y, inner.y + inner.height - BELOW)];
  if (x === 0 && y === 0) return;
  const view = flow.getViewport();
  void flow.setViewport({ ...view, x: view.x + x, y: view.y + y }, { duration: GLIDE_MS });
}
