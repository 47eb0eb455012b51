import { ChevronDown, ChevronRight } from "lucide-react";
import { useState } from "react";
import { t } from "../i18n";
import { brief, kindOf, type Path } from "./data";
import { Draggable } from "./Draggable";
import { holds } from "./search";

interface TreeProps {
  value: unknown;
  path: Path;
  root: string | undefined;
  /** Only branches that hold it. */
  search: string;
}

const MOST_MEMBERS = 20;
const SIGNS: Record<string, string> = { string: "T", number: "#", boolean: "✓", array: "[]", object: "{}" };

/** The fields of a value; of a list its first members. */
export function Tree({ value, path, root, search }: TreeProps) {
  if (typeof value !== "object" || value === null) return null;
  const all: [string | number, unknown][] = Array.isArray(value) ? value.slice(0, MOST_MEMBERS).map((member: unknown, index) => [index, member]) : Object.entries(value);
  if (all.length === 0) return <p className="soft">{t("data.emptyObject")}</p>;
  const entries = all.filter(([key, member]) => holds(key, member, search));
  return <ul className="tree">{entries.map(([key, member]) => <Branch key={key} name={key} value={member} path={[...path, key]} root={root} search={String(key).toLowerCase().includes(search.toLowerCase()) ? "" : search} />)}</ul>;
}

function Branch({ name, value, path, root, search }: TreeProps & { name: string | number }) {
  const kind = kindOf(value);
  const nested = kind === "object" || kind === "array";
  const [open, setOpen] = useState(path.length < 3);
  return (
    <li>
      <div className="leaf">
        {nested ? <button type="button" className="twist" aria-expanded={open} aria-label={String(name)} onClick={() => setOpen(!open)}>{open ? <ChevronDown size={14} /> : <ChevronRight size={14} />}</button> : <span className="twist" />}
        <Draggable root={root} path={path} className={`key ${kind}`}><i aria-hidden="true">{SIGNS[kind] ?? "∅"}</i>{name}</Draggable>
        {!nested && <span className="val">{brief(value)}</span>}
        {Array.isArray(value) && <span className="val">{t("data.members", { count: value.length })}</span>}
      </div>
      {nested && open && <Tree value={value} path={path} root={root} search={search} />}
    </li>
  );
}
