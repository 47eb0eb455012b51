import { useStore as useSheet, ViewportPortal } from "@xyflow/react";
import { type MouseEvent, useCallback } from "react";
import { type StoreApi, useStore } from "zustand";
import { t } from "../i18n";
import { onTheirWay } from "./frames";
import type { Shift } from "./Groups";
import { useHandle } from "./handle";
import { around, type Box } from "./scene";
import { AT_REST, type Moved } from "./sheets";
import { useEditorStore } from "./store";

/** The rectangle around what was marked in a large workflow: it moves all of it, a click lets it go. */
export function Marked({ ids, boxOf, moving, shift, onMenu }: {
  ids: readonly string[];
  boxOf: (id: string) => Box | undefined;
  moving: StoreApi<Moved>;
  shift: Shift;
  onMenu: (event: MouseEvent) => void;
}) {
  const store = useEditorStore();
  const moved = useStore(moving);
  const zoom = useSheet((state) => state.transform[2]);
  const at = onTheirWay(boxOf, moved);
  const box = around(ids.flatMap((id) => at(id) ?? []));
  // Escape, or an undo, takes the rectangle away
  const lost = useCallback(() => moving.setState(AT_REST), [moving]);
  const handle = useHandle((x, y, dropped) => shift(ids, x, y, dropped), () => store.setState({ selection: [], selectedEdges: [] }), lost);
  if (!box) return null;
  return (
    <ViewportPortal>
      <div
        className="marked nopan"
        title={t("editor.moveMarked")}
        style={{ transform: `translate(${box.x}px, ${box.y}px)`, width: box.width, height: box.height, borderWidth: 1 / zoom }}
        onContextMenu={onMenu}
        {...handle}
      />
    </ViewportPortal>
  );
}
