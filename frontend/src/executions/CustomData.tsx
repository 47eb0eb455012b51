import { Tag, X } from "lucide-react";
import { type SubmitEvent, useState } from "react";
import { Link } from "react-router";
import { t } from "../i18n";

/** `key:value`, as the API filters by it. */
const pair = (key: string, value: string): string => `${key}:${value}`;

/** What an execution's nodes have kept with it; each leads to the executions that have kept the same. */
export function CustomData({ data }: { data: Record<string, string> }) {
  const entries = Object.entries(data);
  if (entries.length === 0) return null;
  return (
    <span className="choices kept-data" role="group" aria-label={t("executions.data")}>
      {entries.map(([key, value]) => (
        <Link key={key} className="badge" to={`/executions?${new URLSearchParams({ data: pair(key, value) }).toString()}`} title={t("executions.sameData", { key, value })}>
          <span className="cut">{key}: {value}</span>
        </Link>
      ))}
    </span>
  );
}

interface DataFilterProps {
  wanted: string[];
  onChange: (wanted: string[]) => void;
}

/** Filters executions by what they have kept: `key:value`, one after the other. */
export function DataFilter({ wanted, onChange }: DataFilterProps) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const add = (event: SubmitEvent) => {
    event.preventDefault();
    const at = text.indexOf(":");
    setWrong(at < 1);
    if (at < 1) return;
    onChange([...new Set([...wanted, pair(text.slice(0, at).trim(), text.slice(at + 1).trim())])]);
    setText("");
  };
  return (
    <>
      <form className="search data-filter" onSubmit={add}>
        <Tag size={16} />
        <input aria-label={t("executions.dataFilter")} aria-invalid={wrong} aria-describedby={wrong ? "data-filter-problem" : undefined} placeholder={t("executions.dataFilter")} value={text} onChange={(event) => { setText(event.target.value); setWrong(false); }} />
        {wrong && <span id="data-filter-problem" className="problem" role="alert">{t("executions.dataWrong")}</span>}
      </form>
      {wanted.map((each) => (
        <button key={each} type="button" className="badge chosen" aria-label={t("form.remove", { label: each })} onClick={() => onChange(wanted.filter((other) => other !== each))}>
          <span className="cut">{each}</span><X size={13} />
        </button>
      ))}
    </>
  );
}
