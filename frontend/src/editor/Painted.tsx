import { useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";
import type { StoreApi } from "zustand";
import { watchColours } from "./colours";
import { FOLDED } from "../graph/groups";
import { shownGraph } from "./folding";
import { iconAddress } from "./NodeIcon";
import type { Icons, Picture } from "./paint";
import { sceneOf } from "./scene";
import { type Moved, Sheets } from "./sheets";
import { useEditorStore } from "./store";

const ICON = 44;
const REST_MS = 90;
/** How often a run that goes on is drawn. */
const RUN_MS = 120;

/** Icons as small bitmaps: a vector image would be drawn anew each time. `loaded` is called when one has come. */
function iconsOf(loaded: () => void): Icons {
  const icons = new Map<string, CanvasImageSource | null>();
  return (type) => {
    const known = icons.get(type);
    if (known !== undefined) return known;
    if (type === FOLDED) return null;
    icons.set(type, null);
    const image = new Image(ICON, ICON);
    image.src = iconAddress(type);
    image.onload = () => {
      const bitmap = new OffscreenCanvas(ICON, ICON);
      bitmap.getContext("2d")?.drawImage(image, 0, 0, ICON, ICON);
      icons.set(type, bitmap);
      loaded();
    };
    return null;
  };
}

/** Every node and connection of a large workflow, painted under those that are elements. */
export function Painted({ moving }: { moving: StoreApi<Moved> }) {
  const store = useEditorStore();
  const sheet = useStoreApi();
  const element = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const holder = element.current;
    if (!holder) return;
    const sheets = new Sheets(holder);
    let frame = 0;
    let rest: ReturnType<typeof setTimeout> | undefined;
    let later: ReturnType<typeof setTimeout> | undefined;
    const picture = (): Picture => {
      const { definitions, run } = store.getState();
      const graph = shownGraph(store.getState());
      return { graph, scene: sceneOf(graph, definitions), definitions, run };
    };
    let shown = picture();
    const now = () => {
      cancelAnimationFrame(frame);
      frame = 0;
      const { width, height, transform } = sheet.getState();
      if (width === 0 || height === 0) return;
      const view = { transform, width, height, ratio: window.devicePixelRatio };
      sheets.show(view, { picture: shown, moved: moving.getState(), selection: store.getState().selection, sharp: rest === undefined, colours: colours.now(), icon });
    };
    const soon = () => { frame ||= requestAnimationFrame(now); };
    const anew = () => {
      clearTimeout(later);
      later = undefined;
      shown = picture();
      sheets.forget();
      soon();
    };
    const icon = iconsOf(anew);
    const colours = watchColours(anew);
    const unsubscribe = [
      moving.subscribe(soon),
      sheet.subscribe((state, before) => {
        if (state.transform === before.transform && state.width === before.width && state.height === before.height) return;
        clearTimeout(rest);
        rest = setTimeout(() => {
          rest = undefined;
          soon();
        }, REST_MS);
        now(); // in the same frame as the elements move
      }),
      store.subscribe((state, before) => {
        if (state.history.graph !== before.history.graph || state.folded !== before.folded || state.definitions !== before.definitions) anew();
        else if (state.selection !== before.selection) soon();
        if (state.run !== before.run) later ??= setTimeout(anew, RUN_MS);
      }),
    ];
    now();
    return () => {
      for (const each of unsubscribe) each();
      cancelAnimationFrame(frame);
      clearTimeout(rest);
      clearTimeout(later);
      colours.end();
      holder.replaceChildren();
    };
  }, [store, sheet, moving]);

  return <div ref={element} className="painted" aria-hidden="true" />;
}
