import { type DragEvent, useState } from "react";
import { DRAGGED, usePlace } from "./context";
import { appended, asText, isExpression } from "./expression";
import { ExpressionField } from "./ExpressionField";

interface ValueFieldProps {
  label: string;
  value: unknown;
  placeholder?: string;
  disabled?: boolean;
  onChange: (value: unknown) => void;
}

/** A value without a label above it, fixed or expression: what is typed is an expression once it begins with "=" or holds `{{`. */
export function ValueField({ label, value, placeholder, disabled, onChange }: ValueFieldProps) {
  const { readOnly } = usePlace();
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    const source = event.dataTransfer.getData(DRAGGED);
    setOver(false);
    if (!source) return;
    event.preventDefault();
    setTyped(false);
    onChange(appended(value, source));
  };
  /** Whether the control of the other kind comes because of what is typed into this one. */
  const [typed, setTyped] = useState(false);
  const type = (next: string) => {
    if (isExpression(next) !== isExpression(value)) setTyped(true);
    onChange(next);
  };
  return (
    <div className={over ? "value over" : "value"} onDragOver={(event) => { if (event.dataTransfer.types.includes(DRAGGED)) { event.preventDefault(); setOver(true); } }} onDragLeave={() => setOver(false)} onDropCapture={drop}>
      {isExpression(value) ? (
        <ExpressionField value={value} label={label} typed={typed} onChange={(next) => type(next === "=" ? "" : next)} />
      ) : (
        <input autoFocus={typed} aria-label={label} placeholder={placeholder ?? label} value={asText(value)} disabled={disabled ?? readOnly ?? false} onChange={(event) => type(event.target.value.includes("{{") && !event.target.value.startsWith("=") ? `=${event.target.value}` : event.target.value)} />
      )}
    </div>
  );
}
