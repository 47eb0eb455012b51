import { Panel, useReactFlow, useStoreApi } from "@xyflow/react";
import { type PointerEvent, useCallback, useEffect, useRef } from "react";
import { STICKY_NOTE } from "../graph/document";
import { t } from "../i18n";
import { type Colours, watchColours } from "./colours";
import { around, type Box, grown, sceneOf, seen } from "./scene";
import { type EditorStore, useEditorStore } from "./store";

const WIDTH = 180;
const HEIGHT = 120;

/** What the map shows, and how much smaller. */
interface MapFrame {
  left: number;
  top: number;
  scale: number;
}

function mapOf(store: EditorStore, view: Box): MapFrame {
  const { history, definitions } = store.getState();
  const { bounds } = sceneOf(history.graph, definitions);
  const all = grown(around(bounds ? [bounds, view] : [view]) ?? view, 60);
  const scale = Math.min(WIDTH / all.width, HEIGHT / all.height);
  return { left: all.x - (WIDTH / scale - all.width) / 2, top: all.y - (HEIGHT / scale - all.height) / 2, scale };
}

function drawNodes(on: OffscreenCanvas, store: EditorStore, { left, top, scale }: MapFrame, ratio: number, colours: Colours): void {
  const context = on.getContext("2d");
  if (!context) return;
  const { history, definitions, run } = store.getState();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, on.width, on.height);
  context.setTransform(ratio * scale, 0, 0, ratio * scale, -left * scale * ratio, -top * scale * ratio);
  const least = 1 / scale;
  for (const [id, box] of sceneOf(history.graph, definitions).boxes) {
    const node = history.graph.nodes[id];
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

  const view = useCallback(() => {
    const { transform, width, height } = sheet.getState();
    return seen(transform, width, height);
  }, [sheet]);

  useEffect(() => {
    const canvas = element.current;
    const context = canvas?.getContext("2d");
    if (!canvas || !context) return;
    const ratio = window.devicePixelRatio;
    Object.assign(canvas, { width: WIDTH * ratio, height: HEIGHT * ratio });
    const nodes = new OffscreenCanvas(WIDTH * ratio, HEIGHT * ratio);
    let drawn = "";
    let frame = 0;
    const draw = () => {
      frame = 0;
      const shown = view();
      const map = mapOf(store, shown);
      if (JSON.stringify(map) !== drawn) {
        drawn = JSON.stringify(map);
        drawNodes(nodes, store, map, ratio, colours.now());
      }
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(nodes, 0, 0);
      context.strokeStyle = colours.now().accent;
      context.lineWidth = 1.5 * ratio;
      const scale = map.scale * ratio;
      context.strokeRect((shown.x - map.left) * scale, (shown.y - map.top) * scale, shown.width * scale, shown.height * scale);
    };
    const soon = () => { frame ||= requestAnimationFrame(draw); };
    const anew = () => {
      drawn = "";
      soon();
    };
    const colours = watchColours(anew);
    const unsubscribe = [
      sheet.subscribe((now, before) => { if (now.transform !== before.transform || now.width !== before.width || now.height !== before.height) soon(); }),
      store.subscribe((now, before) => { if (now.history.graph !== before.history.graph || now.run !== before.run || now.definitions !== before.definitions) anew(); }),
    ];
    soon();
    return () => {
      for (const each of unsubscribe) each();
      cancelAnimationFrame(frame);
      colours.end();
    };
  }, [store, sheet, view]);

  const go = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.buttons !== 1) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const box = event.currentTarget.getBoundingClientRect();
    const { left, top, scale } = mapOf(store, view());
    void flow.setCenter(left + (event.clientX - box.left) / scale, top + (event.clientY - box.top) / scale, { zoom: sheet.getState().transform[2] });
  };

  return (
    <Panel position="bottom-right" className="map">
      <canvas ref={element} role="img" aria-label={t("editor.map")} style={{ width: WIDTH, height: HEIGHT }} onPointerDown={go} onPointerMove={go} />
    </Panel>
  );
}
