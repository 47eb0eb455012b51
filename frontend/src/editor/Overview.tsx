import { Panel, useReactFlow, useStoreApi } from "@xyflow/react";
import { type PointerEvent, useEffect, useRef } from "react";
import { STICKY_NOTE } from "../graph/document";
import { t } from "../i18n";
import { type Colours, watchColours } from "./colours";
import { shownGraph } from "./folding";
import { type Box, grown, sceneOf, seen } from "./scene";
import { type EditorStore, useEditorStore } from "./store";

const WIDTH = 180;
const HEIGHT = 120;
const MARGIN = 60;
const NOWHERE: Box = { x: 0, y: 0, width: 1, height: 1 };
/** The frame of the view is at least this large, in pixels. */
const LEAST = 3;
const held = (at: number, length: number): number => Math.max(0, Math.min(length - LEAST, at));

/** What the map shows, and how much smaller. */
interface MapFrame {
  left: number;
  top: number;
  scale: number;
}

function mapOf(store: EditorStore): MapFrame {
  const { definitions } = store.getState();
  const all = grown(sceneOf(shownGraph(store.getState()), definitions).bounds ?? NOWHERE, MARGIN);
  const scale = Math.min(WIDTH / all.width, HEIGHT / all.height);
  return { left: all.x - (WIDTH / scale - all.width) / 2, top: all.y - (HEIGHT / scale - all.height) / 2, scale };
}

function drawNodes(context: CanvasRenderingContext2D, store: EditorStore, { left, top, scale }: MapFrame, ratio: number, colours: Colours): void {
  const { definitions, run } = store.getState();
  const graph = shownGraph(store.getState());
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  context.setTransform(ratio * scale, 0, 0, ratio * scale, -left * scale * ratio, -top * scale * ratio);
  const least = 1 / scale;
  for (const [id, box] of sceneOf(graph, definitions).boxes) {
    const node = graph.nodes[id];
    const status = run?.nodes[node?.name ?? ""]?.status;
    const colour = status === "success" ? "good" : status === "error" ? "bad" : status === "running" ? "busy" : "line-strong";
    context.fillStyle = colours[node?.type === STICKY_NOTE ? "note-1" : colour];
    context.fillRect(box.x, box.y, Math.max(least, box.width), Math.max(least, box.height));
  }
}

/** A small map of all nodes and the view; a press or a drag on it moves the view. */
export function Overview() {
  const store = useEditorStore();
  const sheet = useStoreApi();
  const flow = useReactFlow();
  const element = useRef<HTMLCanvasElement>(null);
  const shown = useRef<HTMLElement>(null);

  useEffect(() => {
    const context = element.current?.getContext("2d");
    const frame = shown.current;
    if (!context || !frame) return;
    const ratio = window.devicePixelRatio;
    Object.assign(context.canvas, { width: WIDTH * ratio, height: HEIGHT * ratio });
    let map = mapOf(store);
    let drawing = 0;
    /** Moving the view only moves a frame; one that lies beside the nodes is held at the edge of the map. */
    const place = () => {
      const { transform, width, height } = sheet.getState();
      const view = seen(transform, width, height);
      const [left, top] = [(view.x - map.left) * map.scale, (view.y - map.top) * map.scale];
      const [x, y] = [held(left, WIDTH), held(top, HEIGHT)];
      frame.style.transform = `translate(${x}px, ${y}px)`;
      frame.style.width = `${held(left + view.width * map.scale, WIDTH) - x + LEAST}px`;
      frame.style.height = `${held(top + view.height * map.scale, HEIGHT) - y + LEAST}px`;
    };
    const draw = () => {
      drawing = 0;
      map = mapOf(store);
      drawNodes(context, store, map, ratio, colours.now());
      place();
    };
    const soon = () => { drawing ||= requestAnimationFrame(draw); };
    const colours = watchColours(soon);
    const unsubscribe = [
      sheet.subscribe((now, before) => { if (now.transform !== before.transform || now.width !== before.width || now.height !== before.height) place(); }),
      store.subscribe((now, before) => { if (now.history.graph !== before.history.graph || now.folded !== before.folded || now.run !== before.run || now.definitions !== before.definitions) soon(); }),
    ];
    draw();
    return () => {
      for (const each of unsubscribe) each();
      cancelAnimationFrame(drawing);
      colours.end();
    };
  }, [store, sheet]);

  const go = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.buttons !== 1) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const box = event.currentTarget.getBoundingClientRect();
    const { left, top, scale } = mapOf(store);
    void flow.setCenter(left + (event.clientX - box.left) / scale, top + (event.clientY - box.top) / scale, { zoom: sheet.getState().transform[2] });
  };

  return (
    <Panel position="bottom-right" className="map">
      <canvas ref={element} role="img" aria-label={t("editor.map")} style={{ width: WIDTH, height: HEIGHT }} onPointerDown={go} onPointerMove={go} />
      <i ref={shown} />
    </Panel>
  );
}
