import { getViewportForBounds, type useReactFlow } from "@xyflow/react";
import { shownGraph } from "./folding";
import { around, sceneOf } from "./scene";
import type { EditorStore } from "./store";

export const LEAST_ZOOM = 0.05;
const PADDING = 0.12;
const GLIDE_MS = 200;

/** Moves the view so that all nodes, or the chosen ones, are in it. */
export function fit(store: EditorStore, flow: ReturnType<typeof useReactFlow>, { ids, glide = true }: { ids?: readonly string[]; glide?: boolean } = {}): void {
  const { definitions } = store.getState();
  const scene = sceneOf(shownGraph(store.getState()), definitions);
  const box = ids ? around(ids.map((id) => scene.boxes.get(id)).filter((each) => each !== undefined)) : scene.bounds;
  const stage = document.querySelector(".stage")?.getBoundingClientRect();
  if (!box || !stage) return;
  void flow.setViewport(getViewportForBounds(box, stage.width, stage.height, LEAST_ZOOM, 1, PADDING), glide ? { duration: GLIDE_MS } : {});
}
