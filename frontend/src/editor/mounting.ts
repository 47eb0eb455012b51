import { useStoreApi } from "@xyflow/react";
import { useEffect, useState } from "react";
import { createStore, type StoreApi, useStore } from "zustand";
import type { EditorStore } from "./store";
import { endsAt, grown, nodeAt, type Scene, seen, within } from "./scene";

/** Workflows up to this size are elements altogether; of larger ones only what can be seen well, the rest is painted. */
export const MANY = 80;
/** Below this zoom a face can't be read: painted ones do. */
export const FAR = 0.5;

const REST_MS = 110;
const MARGIN = 60;
/** How many nodes come and go in one frame. */
const COME = 12;
const GO = 30;
/** How near the pointer is to a connection that it means, in pixels. */
const NEAR = 9;

type Sheet = ReturnType<typeof useStoreApi>;

/**
 * Decides which nodes of a large workflow get elements: those in view once the view has come to rest, a few in each
 * frame; where it is far away, only what is under the pointer, so that it can be dragged and joined.
 */
class Mounting {
  private frame = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private under: string[] = [];

  constructor(
    private readonly sheet: Sheet,
    private readonly mounted: StoreApi<ReadonlySet<string>>,
    private readonly scene: () => Scene,
    private readonly focusing: () => string | null,
  ) {}

  /** The view moves: nothing comes or goes before it rests. */
  moves(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.step();
    }, REST_MS);
  }

  soon(): void {
    this.frame ||= requestAnimationFrame(() => this.step());
  }

  point(x: number, y: number): void {
    const [left, top, zoom] = this.sheet.getState().transform;
    const [at, to] = [(x - left) / zoom, (y - top) / zoom];
    const node = nodeAt(this.scene(), at, to);
    const under = node ? [node] : endsAt(this.scene(), at, to, NEAR / zoom);
    if (under.join("\n") === this.under.join("\n")) return;
    this.under = under;
    this.soon();
  }

  end(): void {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
  }

  private step(): void {
    this.frame = 0;
    const { nodeLookup, connection } = this.sheet.getState();
    if (connection.inProgress || [...nodeLookup.values()].some((node) => node.dragging)) return;
    const before = this.mounted.getState();
    const wanted = this.wanted(before);
    const gone = [...before].filter((id) => !wanted.has(id));
    const come = [...wanted].filter((id) => !before.has(id));
    if (gone.length + come.length === 0) return;
    const next = new Set(before);
    for (const id of gone.slice(0, GO)) next.delete(id);
    for (const id of come.slice(0, COME)) next.add(id);
    this.mounted.setState(next, true);
    if (gone.length > GO || come.length > COME) this.soon();
  }

  private wanted(before: ReadonlySet<string>): Set<string> {
    const scene = this.scene();
    const { transform, width, height } = this.sheet.getState();
    const near = transform[2] < FAR ? [] : within(scene, grown(seen(transform, width, height), MARGIN));
    const focused = document.activeElement?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
    const kept = this.timer === undefined ? near : before;
    const awaited = this.focusing();
    return new Set([...(awaited ? [awaited] : []), ...(focused ? [focused] : []), ...this.under, ...kept].filter((id) => scene.boxes.has(id)));
  }
}

/** The nodes that get elements; null where all of them do. */
export function useMounted(store: EditorStore, scene: () => Scene, many: boolean, changed: unknown): ReadonlySet<string> | null {
  const sheet = useStoreApi();
  const [mounted] = useState(() => createStore<ReadonlySet<string>>(() => new Set()));
  const [mounting] = useState(() => new Mounting(sheet, mounted, scene, () => store.getState().focusing));

  useEffect(() => {
    if (many) mounting.soon();
  }, [many, changed, mounting]);

  useEffect(() => {
    if (!many) return;
    const { domNode } = sheet.getState();
    const point = (event: PointerEvent) => {
      if (event.buttons !== 0 || !domNode || !(event.target instanceof Element) || !event.target.closest(".react-flow__renderer")) return;
      const { left, top } = domNode.getBoundingClientRect();
      mounting.point(event.clientX - left, event.clientY - top);
    };
    const unsubscribe = sheet.subscribe((now, before) => {
      if (now.transform !== before.transform || now.width !== before.width || now.height !== before.height) mounting.moves();
    });
    const awaits = store.subscribe((now, before) => { if (now.focusing && now.focusing !== before.focusing) mounting.soon(); });
    domNode?.addEventListener("pointermove", point);
    return () => {
      unsubscribe();
      awaits();
      mounting.end();
      domNode?.removeEventListener("pointermove", point);
    };
  }, [many, sheet, mounting, store]);

  const found = useStore(mounted);
  return many ? found : null;
}
