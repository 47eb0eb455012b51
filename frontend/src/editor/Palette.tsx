import { useReactFlow } from "@xyflow/react";
import Fuse from "fuse.js";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { t } from "../i18n";
import { reveal } from "./folding";
import { toCanvas } from "./geometry";
import { ACTIONS } from "./shortcuts";
import { useEditor, useEditorStore } from "./store";

interface Entry {
  id: string;
  label: string;
  note: string;
  run: () => void;
}

const MOST = 40;

/** Entries whose label holds the text, those that begin with it first; where there is none, those that are like it. */
function matching(entries: readonly Entry[], text: string): readonly Entry[] {
  if (!text) return entries.slice(0, MOST);
  const held = entries.filter((entry) => entry.label.toLowerCase().includes(text));
  const begins = (entry: Entry) => Number(entry.label.toLowerCase().startsWith(text));
  if (held.length > 0) return held.sort((one, other) => begins(other) - begins(one)).slice(0, MOST);
  return new Fuse(entries, { keys: ["label"], threshold: 0.4, ignoreLocation: true }).search(text, { limit: MOST }).map((each) => each.item);
}

/** Commands with their keys, and the nodes of the canvas to go to. */
export function Palette() {
  const store = useEditorStore();
  const flow = useReactFlow();
  const nodes = useEditor((state) => state.history.graph.nodes);
  const [search, setSearch] = useState("");
  const [marked, setMarked] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const close = () => store.setState({ palette: false });

  const entries = useMemo((): Entry[] => {
    const actions = ACTIONS.filter((action) => action.key !== "palette.title" && action.when?.(store) !== false).map((action) => ({ id: action.key, label: t(action.key), note: action.keys, run: () => action.run(store, flow) }));
    const places = Object.values(nodes).map((node) => ({
      id: node.id,
      label: node.name,
      note: t("palette.go"),
      run: () => {
        const { x, y } = toCanvas(node.position);
        reveal(store, node.id);
        store.setState({ selection: [node.id], focusing: node.id });
        void flow.setCenter(x + 95, y + 30, { zoom: 1, duration: 250 });
      },
    }));
    return [...actions, ...places];
  }, [store, flow, nodes]);
  const found = useMemo(() => matching(entries, search.trim().toLowerCase()), [entries, search]);
  const choose = (entry: Entry | undefined) => {
    close();
    entry?.run();
  };
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setMarked(Math.max(0, Math.min(found.length - 1, marked + step)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(found[marked]);
    }
  };
  return (
    <dialog ref={dialog} className="palette" aria-label={t("palette.title")} onClose={close} onKeyDown={keys} onClick={(event) => event.target === dialog.current && close()}>
      <input
        autoFocus
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-label={t("palette.search")}
        placeholder={t("palette.search")}
        value={search}
        onChange={(event) => { setSearch(event.target.value); setMarked(0); }}
      />
      <div id="palette-list" role="listbox" aria-label={t("palette.title")}>
        {found.map((entry, at) => (
          <div key={entry.id} role="option" aria-selected={at === marked} onMouseMove={() => setMarked(at)} onClick={() => choose(entry)}>
            <span className="grow cut">{entry.label}</span>
            {entry.note && <kbd>{entry.note}</kbd>}
          </div>
        ))}
        {found.length === 0 && <p className="soft">{t("state.noMatch")}</p>}
      </div>
    </dialog>
  );
}
