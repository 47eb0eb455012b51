import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import type { Item } from "../graph/document";
import { t } from "../i18n";

const LINE = 18;

/** Items as JSON; only those in view exist. */
export function JsonList({ label, items, shown }: { label: string; items: Item[]; shown: number[] }) {
  const body = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- what it returns is used here only
  const list = useVirtualizer({ count: shown.length, getScrollElement: () => body.current, estimateSize: (index) => (Object.keys(items[shown[index] ?? 0]?.json ?? {}).length + 2) * LINE, overscan: 6 });
  return (
    <div className="data-body" ref={body} tabIndex={0} role="region" aria-label={t("data.region", { label })}>
      <div style={{ position: "relative", height: list.getTotalSize() }}>
        {list.getVirtualItems().map(({ index, start }) => (
          <pre key={index} data-index={index} ref={list.measureElement} style={{ position: "absolute", insetInline: 0, top: 0, transform: `translateY(${start}px)` }}>
            {JSON.stringify(items[shown[index] ?? 0]?.json, null, 2)}
            {index < shown.length - 1 ? "," : ""}
          </pre>
        ))}
      </div>
    </div>
  );
}
