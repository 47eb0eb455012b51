import { ChevronDown, ChevronRight } from "lucide-react";
import { type ReactNode, useState } from "react";
import { DRAGGED } from "../forms/context";
import { pathSource } from "../forms/expression";
import type { Item } from "../graph/document";
import { t } from "../i18n";
import { kindOf } from "./data";

const VIEWS = ["schema", "table", "json"] as const;
type View = (typeof VIEWS)[number];
const PAGE = 25;

interface DataPaneProps {
  label: string;
  items: Item[];
  /** The expression root of dragged fields, such as `$json`; none: nothing can be dragged. */
  root?: string;
  chosen?: number;
  onChoose?: (index: number) => void;
}

/** Items as schema, table or JSON, page by page. */
export function DataPane({ label, items, root, chosen = 0, onChoose }: DataPaneProps) {
  const [view, setView] = useState<View>("schema");
  const [page, setPage] = useState(0);
  const pages = Math.max(1, Math.ceil(items.length / PAGE));
  const at = Math.min(page, pages - 1);
  const shown = items.slice(at * PAGE, at * PAGE + PAGE);
  return (
    <div className="data">
      <div className="row data-head">
        <span className="soft grow">{t("data.items", { count: items.length })}</span>
        <div className="segments" role="group" aria-label={t("data.view", { label })}>
          {VIEWS.map((each) => <button key={each} type="button" aria-pressed={view === each} onClick={() => setView(each)}>{t(`data.${each}`)}</button>)}
        </div>
      </div>
      <div className="data-body" tabIndex={0} role="region" aria-label={t("data.region", { label })}>
        {items.length === 0 ? <p className="soft">{t("data.none")}</p>
          : view === "schema" ? <Tree value={items[chosen]?.json ?? items[0]?.json} path={[]} root={root} />
          : view === "table" ? <Table items={shown} offset={at * PAGE} chosen={chosen} onChoose={onChoose} root={root} />
          : <pre>{JSON.stringify(shown.map((item) => item.json), null, 2)}</pre>}
      </div>
      <div className="row data-foot">
        {view === "schema" && items.length > 1 && onChoose && (
          <Steps label={t("data.item", { number: chosen + 1, total: items.length })} at={chosen} count={items.length} onStep={onChoose} />
        )}
        {view !== "schema" && pages > 1 && <Steps label={t("pager.page", { page: at + 1, pages })} at={at} count={pages} onStep={setPage} />}
      </div>
    </div>
  );
}

function Steps({ label, at, count, onStep }: { label: string; at: number; count: number; onStep: (at: number) => void }) {
  return (
    <>
      <button type="button" className="small" disabled={at <= 0} onClick={() => onStep(at - 1)}>{t("pager.previous")}</button>
      <span className="soft">{label}</span>
      <button type="button" className="small" disabled={at >= count - 1} onClick={() => onStep(at + 1)}>{t("pager.next")}</button>
    </>
  );
}

type Path = (string | number)[];

function Draggable({ root, path, children, className }: { root: string | undefined; path: Path; children: ReactNode; className: string }) {
  if (!root) return <span className={className}>{children}</span>;
  const source = `{{ ${pathSource(root, path)} }}`;
  const start = (event: React.DragEvent) => {
    event.dataTransfer.setData(DRAGGED, source);
    event.dataTransfer.setData("text/plain", source);
    event.dataTransfer.effectAllowed = "copy";
  };
  return <span className={`${className} draggable`} draggable onDragStart={start} title={source}>{children}</span>;
}

const brief = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 200);

function Tree({ value, path, root }: { value: unknown; path: Path; root: string | undefined }) {
  if (typeof value !== "object" || value === null) return null;
  const entries: [string | number, unknown][] = Array.isArray(value) ? value.slice(0, 20).map((member, index) => [index, member]) : Object.entries(value);
  if (entries.length === 0) return <p className="soft">{t("data.emptyObject")}</p>;
  return <ul className="tree">{entries.map(([key, member]) => <Branch key={key} name={key} value={member} path={[...path, key]} root={root} />)}</ul>;
}

function Branch({ name, value, path, root }: { name: string | number; value: unknown; path: Path; root: string | undefined }) {
  const kind = kindOf(value);
  const nested = kind === "object" || kind === "array";
  const [open, setOpen] = useState(path.length < 3);
  return (
    <li>
      <div className="leaf">
        {nested ? <button type="button" className="twist" aria-expanded={open} aria-label={String(name)} onClick={() => setOpen(!open)}>{open ? <ChevronDown size={14} /> : <ChevronRight size={14} />}</button> : <span className="twist" />}
        <Draggable root={root} path={path} className={`key ${kind}`}><i aria-hidden="true">{kind === "string" ? "T" : kind === "number" ? "#" : kind === "boolean" ? "✓" : kind === "array" ? "[]" : kind === "object" ? "{}" : "∅"}</i>{name}</Draggable>
        {!nested && <span className="val">{brief(value)}</span>}
        {kind === "array" && <span className="val">{t("data.members", { count: (value as unknown[]).length })}</span>}
      </div>
      {nested && open && <Tree value={value} path={path} root={root} />}
    </li>
  );
}

interface TableProps {
  items: Item[];
  offset: number;
  chosen: number;
  onChoose: ((index: number) => void) | undefined;
  root: string | undefined;
}

function Table({ items, offset, chosen, onChoose, root }: TableProps) {
  const columns = [...new Set(items.flatMap((item) => Object.keys(item.json)))].slice(0, 40);
  return (
    <table>
      <thead><tr><th>#</th>{columns.map((column) => <th key={column}><Draggable root={root} path={[column]} className="key">{column}</Draggable></th>)}</tr></thead>
      <tbody>
        {items.map((item, index) => (
          <tr key={index} aria-selected={offset + index === chosen} onClick={() => onChoose?.(offset + index)}>
            <td className="soft">{offset + index}</td>
            {columns.map((column) => <td key={column}><span className="cell">{item.json[column] === undefined ? "" : brief(item.json[column])}</span></td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
