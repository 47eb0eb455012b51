import { X } from "lucide-react";
import { Suspense } from "react";
import { t } from "../i18n";
import { usePlace } from "./context";
import type { Property } from "./definition";
import { asText as text } from "./expression";
import { CodeEditor } from "./ExpressionField";
import { Locator } from "./Locator";
import { LookUp } from "./LookUp";

export interface ControlProps {
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
      return property.options?.length ? <Options {...props} /> : <Found {...props} />;
    case "multiOptions":
      return property.options?.length ? <MultiOptions {...props} /> : <FoundList {...props} />;
    case "color":
      return <input id={id} type="color" value={text(value) || "#0f766e"} disabled={disabled} onChange={(event) => onChange(event.target.value)} />;
    case "dateTime":
      return <input id={id} type="datetime-local" value={text(value).slice(0, 16)} disabled={disabled} onChange={(event) => onChange(event.target.value)} />;
    case "workflowSelector":
    case "resourceLocator":
      return <Locator {...props} />;
    case "credentialsSelect":
      return <Found {...props} />;
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

/** One of the choices that are looked up; by hand where nothing can be. */
function Found({ id, property, value, onChange }: ControlProps) {
  const { lookUp } = usePlace();
  if (!lookUp) return <Text id={id} property={property} value={value} onChange={onChange} />;
  return <LookUp id={id} label={property.display_name} loader={property.loader ?? property.name} text={text(value)} placeholder={property.placeholder} onChoose={(choice) => onChange(choice.value)} />;
}

/** Several of them. */
function FoundList({ id, property, value, onChange }: ControlProps) {
  const { lookUp, readOnly } = usePlace();
  const chosen: unknown[] = Array.isArray(value) ? value : [];
  if (!lookUp) return <List id={id} property={property} value={value} onChange={onChange} />;
  return (
    <div className="stack tight">
      {chosen.length > 0 && (
        <div className="choices">
          {chosen.map((each) => (
            <button key={text(each)} type="button" className="badge" disabled={readOnly} aria-label={t("form.remove", { label: text(each) })} onClick={() => onChange(chosen.filter((other) => other !== each))}>
              {text(each)}<X size={13} />
            </button>
          ))}
        </div>
      )}
      <LookUp id={id} label={property.display_name} loader={property.loader ?? property.name} text="" placeholder={property.placeholder} onChoose={(choice) => onChange([...chosen.filter((each) => each !== choice.value), choice.value])} />
    </div>
  );
}

function List({ id, value, onChange }: ControlProps) {
  const { readOnly } = usePlace();
  const joined = Array.isArray(value) ? value.join(", ") : text(value);
  return <input id={id} value={joined} disabled={readOnly} placeholder={t("form.commas")} onChange={(event) => onChange(event.target.value.split(",").map((each) => each.trim()).filter(Boolean))} />;
}
