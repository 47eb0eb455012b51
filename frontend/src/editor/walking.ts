import type { useReactFlow } from "@xyflow/react";
import { moveNodes } from "../graph/commands";
import type { Graph } from "../graph/document";
import { shownGraph } from "./folding";
import { type Box, grown, type Scene, sceneOf } from "./scene";
import type { EditorStore } from "./store";

export type Direction = "left" | "right" | "up" | "down" | "next" | "previous" | "first" | "last";

const KEYS: Record<string, Direction> = {
  ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", PageDown: "next", PageUp: "previous", Home: "first", End: "last",
};

/** Nodes as they are read: rows from above, each from the left. */
const inOrder = (scene: Scene): string[] => [...scene.boxes].sort(([, one], [, other]) => one.y - other.y || one.x - other.x).map(([id]) => id);

/**
 * The node that lies in a direction of another. To the sides connections are followed, else the nearest node is meant;
 * `next` and `previous` pass all nodes. The same node where there is no other; null in an empty graph.
 */
export function walk(graph: Graph, scene: Scene, from: string | null, direction: Direction): string | null {
  const here = from === null ? undefined : scene.boxes.get(from);
  const order = inOrder(scene);
  if (from === null || !here || direction === "first") return order[0] ?? null;
  if (direction === "last") return order.at(-1) ?? null;
  if (direction === "next" || direction === "previous") return order[order.indexOf(from) + (direction === "next" ? 1 : -1)] ?? from;
  if (direction === "right") return graph.edges.filter((edge) => edge.from === from).sort((one, other) => one.output - other.output)[0]?.to ?? nearest(scene, from, here, direction);
  if (direction === "left") return graph.edges.filter((edge) => edge.to === from).sort((one, other) => one.input - other.input)[0]?.from ?? nearest(scene, from, here, direction);
  return nearest(scene, from, here, direction);
}

/** What is aside counts double. */
function nearest(scene: Scene, from: string, here: Box, direction: "left" | "right" | "up" | "down"): string {
  const sign = direction === "right" || direction === "down" ? 1 : -1;
  let [found, least] = [from, Infinity];
  for (const [id, box] of scene.boxes) {
    const [x, y] = [box.x + box.width / 2 - here.x - here.width / 2, box.y + box.height / 2 - here.y - here.height / 2];
    const [ahead, aside] = direction === "left" || direction === "right" ? [sign * x, Math.abs(y)] : [sign * y, Math.abs(x)];
    if (id === from || ahead <= 0 || ahead + 2 * aside >= least) continue;
    [found, least] = [id, ahead + 2 * aside];
  }
  return found;
}

const EDGE = 24;

/** Chooses a node and gives it the keyboard's focus; the view moves where the node isn't wholly in it. */
export function goTo(store: EditorStore, flow: ReturnType<typeof useReactFlow>, id: string): void {
  const box = sceneOf(shownGraph(store.getState()), store.getState().definitions).boxes.get(id);
  const stage = document.querySelector(".stage")?.getBoundingClientRect();
  if (!box || !stage) return;
  store.setState({ selection: [id], selectedEdges: [], focusing: id });
  const { zoom } = flow.getViewport();
  const [least, most] = [flow.flowToScreenPosition(box), flow.flowToScreenPosition({ x: box.x + box.width, y: box.y + box.height })];
  const inner = grown(stage, -EDGE);
  if (least.x < inner.x || least.y < inner.y || most.x > inner.x + inner.width || most.y > inner.y + inner.height) {
    void flow.setCenter(box.x + box.width / 2, box.y + box.height / 2, { zoom });
  } else {
    void flow.setViewport(flow.getViewport()); // ends a glide, which would go on past the node
  }
}

const NUDGE = 20;

/** Whether a key walks through the graph (arrows, Page up and down, Home, End) or, with Shift, moves what is chosen. */
export function walks(event: KeyboardEvent, store: EditorStore, flow: ReturnType<typeof useReactFlow>): boolean {
  const direction = KEYS[event.key];
  const { history, definitions, selection, focusing, readOnly, change } = store.getState();
  if (!direction || event.ctrlKey || event.metaKey || event.altKey || (event.target !== document.body && !inGraph(event.target))) return false;
  if (event.shiftKey) {
    const [x, y] = [{ left: -NUDGE, right: NUDGE }[direction as string] ?? 0, { up: -NUDGE, down: NUDGE }[direction as string] ?? 0];
    if (readOnly || (x === 0 && y === 0)) return false;
    const placed = selection.flatMap((id): [string, [number, number]][] => {
      const at = history.graph.nodes[id]?.position;
      return at ? [[id, [at[0] + x, at[1] + y]]] : [];
    });
    change(moveNodes(new Map(placed)), `nudge ${selection.join(" ")}`);
    return true;
  }
  const shown = shownGraph(store.getState());
  const scene = sceneOf(shown, definitions);
  const focused = document.activeElement?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
  // the element of the node that was gone to may come later than the next key
  const here = [focusing, focused, selection.at(-1)].find((each) => each && scene.boxes.has(each)) ?? null;
  const id = walk(shown, scene, here, direction);
  if (id) goTo(store, flow, id);
  return true;
}

export const inGraph = (target: EventTarget | null): boolean => target instanceof Element && target.closest(".react-flow__node, .graph-entry, .react-flow__pane") !== null;
