import { Search, X } from "lucide-react";
import { memo, useDeferredValue, useMemo, useState } from "react";
import type { Item } from "../graph/document";
import { t } from "../i18n";
import { DataTable } from "./DataTable";
import { Files, type FilePlace, filesOf } from "./Files";
import { HtmlPreview } from "./HtmlPreview";
import { JsonList } from "./JsonList";
import { found, htmlOf } from "./search";
import { Tree } from "./Tree";

type View = "schema" | "table" | "json" | "html" | "files";

interface DataPaneProps {
  label: string;
  items: Item[];
  /** The expression root of dragged fields, such as `$json`; none: nothing can be dragged. */
  root?: string;
  chosen?: number;
  onChoose?: (index: number) => void;
  /** Where the items' files are; none: they have not run. */
  files?: FilePlace | undefined;
}

/** Items as schema, table, JSON, page or files. Only what can be seen of a long list is drawn. */
export const DataPane = memo(function DataPane({ label, items, root, chosen = 0, onChoose, files }: DataPaneProps) {
  const [wanted, setView] = useState<View>("schema");
  const [searching, setSearching] = useState(false);
  const [text, setText] = useState("");
  const search = useDeferredValue(searching ? text.trim() : "");
  const shown = useMemo(() => found(items, search), [items, search]);
  const index = shown.includes(chosen) ? chosen : (shown[0] ?? chosen);
  const item = items[index];
  const html = htmlOf(item);
  const held = filesOf(item).length > 0 || items.some((each) => filesOf(each).length > 0);
  const views: View[] = ["schema", "table", "json", ...(html === null ? [] : ["html" as const]), ...(held ? ["files" as const] : [])];
  const view = views.includes(wanted) ? wanted : "schema";
  const single = view === "schema" || view === "html" || view === "files";
  const at = shown.indexOf(index);
  const close = () => {
    setSearching(false);
    setText("");
  };
  return (
    <div className="data">
      <div className="row data-head">
        <span className="soft grow" role="status">{search ? t("data.matching", { found: shown.length, count: items.length }) : t("data.items", { count: items.length })}</span>
        <button type="button" className="icon small" aria-pressed={searching} aria-label={t("data.search", { label })} title={t("data.search", { label })} onClick={() => (searching ? close() : setSearching(true))}><Search size={15} /></button>
        <div className="segments" role="group" aria-label={t("data.view", { label })}>
          {views.map((each) => <button key={each} type="button" aria-pressed={view === each} onClick={() => setView(each)}>{t(`data.${each}`)}</button>)}
        </div>
      </div>
      {searching && (
        <div className="search data-search">
          <Search size={15} />
          <input autoFocus type="search" aria-label={t("data.searchText", { label })} placeholder={t("data.searchText", { label })} value={text} onChange={(event) => setText(event.target.value)} onKeyDown={(event) => { if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(); } }} />
          <button type="button" className="icon small" aria-label={t("data.searchEnd")} onClick={close}><X size={14} /></button>
        </div>
      )}
      {items.length === 0 ? <p className="soft data-none">{t("data.none")}</p>
        : shown.length === 0 ? <p className="soft data-none">{t("state.noMatch")}</p>
        : view === "table" ? <DataTable label={label} items={items} shown={shown} chosen={chosen} onChoose={onChoose} root={root} />
        : view === "json" ? <JsonList label={label} items={items} shown={shown} />
        : (
          <div className="data-body" tabIndex={0} role="region" aria-label={t("data.region", { label })}>
            {view === "html" ? <HtmlPreview html={html ?? ""} /> : view === "files" ? <Files item={item} index={index} place={files} /> : <Tree value={item?.json} path={[]} root={root} search={search} />}
          </div>
        )}
      <div className="row data-foot">
        {single && shown.length > 1 && onChoose && (
          <>
            <button type="button" className="small" disabled={at <= 0} onClick={() => onChoose(shown[at - 1] ?? 0)}>{t("pager.previous")}</button>
            <span className="soft">{t("data.item", { number: index + 1, total: items.length })}</span>
            <button type="button" className="small" disabled={at >= shown.length - 1} onClick={() => onChoose(shown[at + 1] ?? 0)}>{t("pager.next")}</button>
          </>
        )}
      </div>
    </div>
  );
});
