import { useReactFlow } from "@xyflow/react";
import Fuse from "fuse.js";
import { Search, X } from "lucide-react";
import { type DragEvent, type KeyboardEvent, useMemo, useRef, useState } from "react";
import type { NodeSummary } from "../forms/definition";
import { named, t } from "../i18n";
import { Empty, Failed, Loading } from "../ui/states";
import { addAt } from "./actions";
import { useCatalogue } from "./definitions";
import { toDocument } from "./geometry";
import { NodeIcon } from "./NodeIcon";
import { useEditor, useEditorStore } from "./store";

const ORDER = ["trigger", "flow", "transform", "core", "data", "files", "communication", "ai"];
const MOST = 60;
export const DRAGGED_TYPE = "application/x-weft-node";

/** Node types to add: a forgiving search, else by category. Enter takes the marked one; a type can be dragged too. */
export function NodePanel() {
  const store = useEditorStore();
  const flow = useReactFlow();
  const place = useEditor((state) => state.adding) ?? {};
  const started = useEditor((state) => Object.values(state.history.graph.nodes).some((node) => state.definitions[node.type]?.trigger));
  const catalogue = useCatalogue();
  const [search, setSearch] = useState("");
  const [marked, setMarked] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const all = useMemo(() => catalogue.data ?? [], [catalogue.data]);
  const index = useMemo(
    () => new Fuse(all, { keys: [{ name: "display_name", weight: 3 }, { name: "keywords", weight: 2 }, { name: "type", weight: 2 }, "description"], threshold: 0.38, ignoreLocation: true }),
    [all],
  );
  const groups = useMemo(() => grouped(search.trim() ? index.search(search.trim(), { limit: MOST }).map((found) => found.item) : all, search.trim() !== "", started), [search, index, all, started]);
  const flat = groups.flatMap(([, types]) => types);
  const close = () => store.setState({ adding: null });

  const centre = (): [number, number] => {
    const box = document.querySelector(".stage")?.getBoundingClientRect();
    return toDocument(flow.screenToFlowPosition({ x: (box?.left ?? 0) + (box?.width ?? 800) / 2 - 200, y: (box?.top ?? 0) + (box?.height ?? 600) / 2 - 60 }));
  };
  const add = (type: NodeSummary) => addAt(store, type, place, centre());
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const next = Math.max(0, Math.min(flat.length - 1, marked + step));
      setMarked(next);
      list.current?.querySelectorAll("[role=option]")[next]?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      const type = flat[marked];
      if (type) add(type);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
  };
  const drop = (event: DragEvent, type: NodeSummary) => {
    const box = document.querySelector(".stage")?.getBoundingClientRect();
    const panel = list.current?.getBoundingClientRect();
    if (!box || !panel || event.clientX === 0 || event.clientX >= panel.left || event.clientX < box.left || event.clientY < box.top) return;
    addAt(store, type, { at: toDocument(flow.screenToFlowPosition({ x: event.clientX, y: event.clientY })) }, [0, 0]);
  };
  let position = -1;
  return (
    <aside className="panel" aria-label={t("editor.add")} onKeyDown={keys}>
      <header>
        <h2 className="grow">{t(place.instead ? "panel.instead" : place.edge ? "panel.between" : place.after ? "panel.next" : started ? "panel.add" : "panel.start")}</h2>
        <button className="icon small" aria-label={t("action.close")} onClick={close}><X size={17} /></button>
      </header>
      <div className="search">
        <Search size={16} />
        <input
          autoFocus
          type="search"
          role="combobox"
          aria-expanded="true"
          aria-controls="node-types"
          aria-activedescendant={flat[marked] ? `type-${flat[marked].type}` : undefined}
          aria-label={t("panel.search")}
          placeholder={t("panel.search")}
          value={search}
          onChange={(event) => { setSearch(event.target.value); setMarked(0); }}
        />
      </div>
      <div className="types" id="node-types" role="listbox" aria-label={t("panel.types")} ref={list}>
        {catalogue.isError ? <Failed error={catalogue.error} onRetry={() => void catalogue.refetch()} /> : catalogue.isPending ? <Loading /> : null}
        {groups.map(([category, types]) => (
          <div key={category} role="group" aria-label={category || t("panel.found")}>
            {category && <div className="category" aria-hidden="true">{category}</div>}
            {types.map((type) => {
              const at = ++position;
              return (
                <div
                  key={type.type}
                  id={`type-${type.type}`}
                  role="option"
                  aria-selected={at === marked}
                  className="type"
                  draggable
                  onDragStart={(event) => event.dataTransfer.setData(DRAGGED_TYPE, type.type)}
                  onDragEnd={(event) => drop(event, type)}
                  onMouseMove={() => setMarked(at)}
                  onClick={() => add(type)}
                >
                  <span className="tile"><NodeIcon type={type.type} name={type.display_name} size={20} /></span>
                  <span className="words"><strong>{type.display_name}</strong><small>{type.description}</small></span>
                </div>
              );
            })}
          </div>
        ))}
        {catalogue.data && flat.length === 0 && <Empty icon={<Search />} title={t("state.noMatch")}>{t("panel.noMatch")}</Empty>}
      </div>
    </aside>
  );
}

/** Found ones in the order of their match; all others by category, triggers first while there is none. */
function grouped(types: NodeSummary[], searched: boolean, started: boolean): [string, NodeSummary[]][] {
  if (searched) return [["", types]];
  const groups = new Map<string, NodeSummary[]>();
  for (const type of types) {
    const category = type.categories[0] ?? "core";
    groups.set(category, [...(groups.get(category) ?? []), type]);
  }
  const rank = (name: string) => (name === "trigger" && started ? 99 : ORDER.includes(name) ? ORDER.indexOf(name) : 50);
  return [...groups].sort(([left], [right]) => rank(left) - rank(right)).map(([name, held]) => [named(`category.${name}`, name), held]);
}
