import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";
import type { Item } from "../graph/document";
import { t } from "../i18n";
import { brief } from "./data";
import { Draggable } from "./Draggable";

const ROW = 31;
const MOST_COLUMNS = 40;

interface DataTableProps {
  label: string;
  items: Item[];
  /** Indices of the items that are shown. */
  shown: number[];
  chosen: number;
  onChoose: ((index: number) => void) | undefined;
  root: string | undefined;
}

/** Items as rows; only those in view exist. */
export function DataTable({ label, items, shown, chosen, onChoose, root }: DataTableProps) {
  const body = useRef<HTMLDivElement>(null);
  const columns = useMemo(() => columnsOf(items), [items]);
  // eslint-disable-next-line react-hooks/incompatible-library -- what it returns is used here only
  const rows = useVirtualizer({ count: shown.length, getScrollElement: () => body.current, estimateSize: () => ROW, overscan: 12 });
  const drawn = rows.getVirtualItems();
  const above = drawn[0]?.start ?? 0;
  const below = rows.getTotalSize() - (drawn.at(-1)?.end ?? 0);
  return (
    <div className="data-body" ref={body} tabIndex={0} role="region" aria-label={t("data.region", { label })}>
      <table aria-rowcount={shown.length + 1}>
        <thead><tr><th>#</th>{columns.length === 0 && <th>{t("data.json")}</th>}{columns.map((column) => <th key={column}><Draggable root={root} path={[column]} className="key">{column}</Draggable></th>)}</tr></thead>
        <tbody>
          {above > 0 && <tr aria-hidden="true" className="space"><td style={{ height: above }} /></tr>}
          {drawn.map(({ index }) => {
            const at = shown[index] ?? 0;
            const json = items[at]?.json ?? {};
            return (
              <tr key={at} aria-rowindex={index + 2} aria-selected={at === chosen} onClick={() => onChoose?.(at)}>
                <td className="soft">{at}</td>
                {columns.length === 0 && <td><span className="cell">{brief(json)}</span></td>}
                {columns.map((column) => <td key={column}><span className="cell">{json[column] === undefined ? "" : brief(json[column])}</span></td>)}
              </tr>
            );
          })}
          {below > 0 && <tr aria-hidden="true" className="space"><td style={{ height: below }} /></tr>}
        </tbody>
      </table>
    </div>
  );
}

function columnsOf(items: Item[]): string[] {
  const found = new Set<string>();
  for (const { json } of items) {
    for (const key in json) found.add(key);
    if (found.size >= MOST_COLUMNS) break;
  }
  return [...found].slice(0, MOST_COLUMNS);
}
