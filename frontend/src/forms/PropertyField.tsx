import { Undo2 } from "lucide-react";
import { type DragEvent, lazy, useState } from "react";
import { t } from "../i18n";
import { CollectionField, FixedCollectionField } from "./collections";
import { emptyOf } from "./conditions";
import { DRAGGED, usePlace } from "./context";
import { Control } from "./controls";
import type { Property } from "./definition";
import { appended, isExpression, toExpression, toFixed } from "./expression";
import { ExpressionField } from "./ExpressionField";
import type { Values } from "./ParameterForm";

const AssignmentField = lazy(() => import("./AssignmentField"));
const FilterField = lazy(() => import("./FilterField"));
const ResourceMapper = lazy(() => import("./ResourceMapper"));

export interface FieldProps {
  id: string;
  property: Property;
  value: unknown;
  root: Values;
  onChange: (value: unknown) => void;
}

const STRUCTURED = new Set(["collection", "fixedCollection", "filter", "assignmentCollection", "notice", "credentials", "credentialsSelect", "resourceMapper"]);

/** One parameter: label, switch between fixed and expression, the control of its type. */
export function PropertyField(props: FieldProps) {
  const { property } = props;
  switch (property.type) {
    case "notice":
      return <p className="notice info">{property.description ?? property.display_name}</p>;
    case "collection":
      return <CollectionField {...props} />;
    case "fixedCollection":
      return <FixedCollectionField {...props} />;
    case "filter":
      return <Titled property={property}><FilterField {...props} /></Titled>;
    case "assignmentCollection":
      return <Titled property={property}><AssignmentField {...props} /></Titled>;
    case "resourceMapper":
      return <Titled property={property}><ResourceMapper {...props} /></Titled>;
    default:
      return <SimpleField {...props} />;
  }
}

function Titled({ property, children }: { property: Property; children: React.ReactNode }) {
  return (
    <div className="field" role="group" aria-label={property.display_name}>
      <span className="label">{property.display_name}</span>
      {children}
    </div>
  );
}

function SimpleField({ id, property, value, onChange }: FieldProps) {
  const { evaluate, readOnly, kept: keptOnes } = usePlace();
  const [over, setOver] = useState(false);
  const [typed, setTyped] = useState(false);
  const dynamic = evaluate !== undefined && !property.no_expression && !STRUCTURED.has(property.type);
  const held = value === undefined ? emptyOf(property) : value;
  const locator = (property.type === "resourceLocator" || property.type === "workflowSelector") && typeof held === "object" && held !== null ? (held as Values) : null;
  const inner = locator ? locator.value : held;
  const change = (next: unknown) => onChange(locator ? { ...locator, value: next } : next);
  const expression = dynamic && isExpression(inner);
  const drop = (event: DragEvent) => {
    const source = event.dataTransfer.getData(DRAGGED);
    setOver(false);
    if (!source || !dynamic) return;
    event.preventDefault();
    change(appended(inner, source));
  };
  const label = property.display_name;
  const kept = keptOnes?.has(property.name) ?? false;
  if (kept && value === undefined) return <Kept id={id} label={label} onReplace={() => onChange(emptyOf(property))} />;
  return (
    <div
      className={over ? "field over" : "field"}
      onDragOver={(event) => { if (dynamic && event.dataTransfer.types.includes(DRAGGED)) { event.preventDefault(); setOver(true); } }}
      onDragLeave={() => setOver(false)}
      onDropCapture={drop}
    >
      <div className="row caption">
        <label htmlFor={id}>{label}{property.required && <span aria-hidden="true" className="must"> *</span>}</label>
        {dynamic && !readOnly && <ModeSwitch label={label} expression={expression} onChange={(next) => { setTyped(false); change(next ? toExpression(inner) : toFixed(String(inner), emptyOf(property))); }} />}
        {kept && <button type="button" className="quiet small" onClick={() => onChange(undefined)}><Undo2 size={14} />{t("form.keep")}</button>}
      </div>
      {expression ? <ExpressionField value={inner} label={label} typed={typed} onChange={change} /> : <Control id={id} property={property} value={held} onChange={(next) => { setTyped(isExpression(next)); onChange(next); }} />}
      {property.description && <span className="hint">{property.description}</span>}
    </div>
  );
}

/** A secret that is stored: it is never shown, and stays unless it is replaced. */
function Kept({ id, label, onReplace }: { id: string; label: string; onReplace: () => void }) {
  // the control that comes instead is where the reader goes on
  const replace = () => {
    onReplace();
    requestAnimationFrame(() => document.getElementById(id)?.focus());
  };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="row">
        <input id={id} readOnly value={t("form.kept")} className="kept" />
        <button type="button" aria-label={t("form.replaceNamed", { label })} onClick={replace}>{t("form.replace")}</button>
      </div>
    </div>
  );
}

/** Fixed or expression. */
export function ModeSwitch({ label, expression, onChange }: { label: string; expression: boolean; onChange: (expression: boolean) => void }) {
  return (
    <span className="segments mode" role="group" aria-label={t("form.mode", { label })}>
      <button type="button" aria-pressed={!expression} onClick={() => expression && onChange(false)}>{t("form.fixed")}</button>
      <button type="button" aria-pressed={expression} onClick={() => !expression && onChange(true)}>{t("form.expression")}</button>
    </span>
  );
}
