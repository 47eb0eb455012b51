import { useQuery } from "@tanstack/react-query";
import { Suspense } from "react";
import { api } from "../api/api";
import { t } from "../i18n";
import { usePlace } from "./context";
import type { Property } from "./definition";
import { asText as text } from "./expression";
import { CodeEditor } from "./ExpressionField";

interface ControlProps {
  id: string;
  property: Property;
  value: unknown;
  onChange: (value: unknown) => void;
}

/** The control of one simple type, for a fixed value. */
export function Control(props: ControlProps) {
  const { id, property, value, onChange } = props;
  const { readOnly } = usePlace();
  const disabled = readOnly ?? false;
  switch (property.type) {
    case "boolean":
      return <input id={id} type="checkbox" className="switch" checked={value === true} disabled={disabled} onChange={(event) => onChange(event.target.checked)} />;
    case "number":
      return <input id={id} type="number" step="any" value={text(value)} disabled={disabled} placeholder={property.placeholder} onChange={(event) => onChange(event.target.value === "" ? "" : Number(event.target.value))} />;
    case "options":
      return property.options?.length ? <Options {...props} /> : <Text {...props} />;
    case "multiOptions":
      return property.options?.length ? <MultiOptions {...props} /> : <List {...props} />;
    case "color":
      return <input id={id} type="color" value={text(value) || "#0f766e"} disabled={disabled} onChange={(event) => onChange(event.target.value)} />;
    case "dateTime":
      return <input id={id} type="datetime-local" value={text(value).slice(0, 16)} disabled={disabled} onChange={(event) => onChange(event.target.value)} />;
    case "workflowSelector":
      return <WorkflowSelect {...props} />;
    case "resourceLocator":
      return <Locator {...props} />;
    default:
      return <Text {...props} />;
  }
}

function Text({ id, property, value, onChange }: ControlProps) {
  const { completions, readOnly } = usePlace();
  const disabled = readOnly ?? false;
  const language = property.language ?? (property.type === "json" ? "json" : "");
  if (language) {
    return (
      <Suspense fallback={<pre className="code">{text(value)}</pre>}>
        <CodeEditor value={text(value)} language={language} label={property.display_name} rows={property.rows ?? 6} completions={completions} readOnly={disabled} onChange={onChange} />
      </Suspense>
    );
  }
  if ((property.rows ?? 1) > 1) {
    return <textarea id={id} rows={property.rows} value={text(value)} disabled={disabled} placeholder={property.placeholder} onChange={(event) => onChange(event.target.value)} />;
  }
  return (
    <input
      id={id}
      type={property.secret ? "password" : "text"}
      autoComplete={property.secret ? "new-password" : "off"}
      value={text(value)}
      disabled={disabled}
      placeholder={property.placeholder}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Options({ id, property, value, onChange }: ControlProps) {
  const { readOnly } = usePlace();
  const options = property.options ?? [];
  const chosen = options.findIndex((option) => option.value === value);
  return (
    <select id={id} value={chosen} disabled={readOnly} onChange={(event) => onChange(options[Number(event.target.value)]?.value)}>
      {chosen < 0 && <option value={-1}>{text(value) || t("form.choose")}</option>}
      {options.map((option, index) => <option key={option.name} value={index}>{option.name}</option>)}
    </select>
  );
}

function MultiOptions({ id, property, value, onChange }: ControlProps) {
  const { readOnly } = usePlace();
  const chosen: unknown[] = Array.isArray(value) ? value : [];
  return (
    <div id={id} className="choices" role="group" aria-label={property.display_name}>
      {property.options?.map((option) => {
        const on = chosen.includes(option.value);
        return (
          <button key={option.name} type="button" disabled={readOnly} className="badge" aria-pressed={on} onClick={() => onChange(on ? chosen.filter((each) => each !== option.value) : [...chosen, option.value])}>
            {option.name}
          </button>
        );
      })}
    </div>
  );
}

function List({ id, value, onChange }: ControlProps) {
  const { readOnly } = usePlace();
  const joined = Array.isArray(value) ? value.join(", ") : text(value);
  return <input id={id} value={joined} disabled={readOnly} placeholder={t("form.commas")} onChange={(event) => onChange(event.target.value.split(",").map((each) => each.trim()).filter(Boolean))} />;
}

function WorkflowSelect({ id, value, onChange }: ControlProps) {
  const { readOnly } = usePlace();
  const found = useQuery({ queryKey: ["workflows", "all"], queryFn: () => api.workflows(1, "", 250) });
  const locator = typeof value === "object" && value !== null ? (value as { value?: string }) : null;
  const chosen = locator ? text(locator.value) : text(value);
  const rows = found.data?.rows ?? [];
  return (
    <select id={id} value={chosen} disabled={readOnly} onChange={(event) => onChange({ __rl: true, mode: "list", value: event.target.value, cachedResultName: rows.find((row) => row.id === event.target.value)?.name ?? "" })}>
      {!rows.some((row) => row.id === chosen) && <option value={chosen}>{chosen || t("form.choose")}</option>}
      {rows.map((row) => <option key={row.id} value={row.id}>{row.name}</option>)}
    </select>
  );
}

const MODES = ["list", "id", "url", "name"] as const;

function Locator({ id, property, value, onChange }: ControlProps) {
  const { readOnly } = usePlace();
  const held = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : { __rl: true, mode: "id", value };
  const mode = text(held.mode) || "id";
  return (
    <div className="row">
      <select style={{ width: 96 }} aria-label={t("form.locator", { label: property.display_name })} value={mode} disabled={readOnly} onChange={(event) => onChange({ ...held, __rl: true, mode: event.target.value })}>
        {MODES.map((each) => <option key={each} value={each}>{t(`form.locator.${each}`)}</option>)}
      </select>
      {mode === "list" && property.name === "workflowId"
        ? <WorkflowSelect id={id} property={property} value={held} onChange={onChange} />
        : <input id={id} value={text(held.value)} disabled={readOnly} placeholder={property.placeholder} onChange={(event) => onChange({ ...held, __rl: true, mode, value: event.target.value })} />}
    </div>
  );
}
