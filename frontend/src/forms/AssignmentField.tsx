import { Plus, X } from "lucide-react";
import { t } from "../i18n";
import { DRAGGED, usePlace } from "./context";
import { lastName } from "./expression";
import type { FieldProps } from "./PropertyField";
import { ValueField } from "./ValueField";

interface Assignment {
  id: string;
  name: string;
  value: unknown;
  type: string;
}

const TYPES = ["string", "number", "boolean", "array", "object"] as const;

/** Fields to set: name, type, value. Dropping a field of the input adds it under its own name. */
export default function AssignmentField({ value, onChange }: FieldProps) {
  const { readOnly } = usePlace();
  const held = (value ?? {}) as { assignments?: Assignment[] };
  const rows = held.assignments ?? [];
  const set = (next: Assignment[]) => onChange({ ...held, assignments: next });
  const change = (index: number, part: Partial<Assignment>) => set(rows.map((row, at) => (at === index ? { ...row, ...part } : row)));
  const add = (name: string, given: string) => set([...rows, { id: crypto.randomUUID(), name, value: given, type: "string" }]);
  return (
    <div className="stack tight">
      {rows.map((row, index) => (
        <div key={row.id || index} className="entry assignment" role="group" aria-label={t("form.field", { number: index + 1 })}>
          <div className="row">
            <input aria-label={t("form.fieldName")} placeholder={t("form.fieldName")} value={row.name} disabled={readOnly} onChange={(event) => change(index, { name: event.target.value })} />
            <select aria-label={t("form.fieldType")} value={row.type} disabled={readOnly} onChange={(event) => change(index, { type: event.target.value })}>
              {TYPES.map((type) => <option key={type} value={type}>{t(`type.${type}`)}</option>)}
            </select>
            {!readOnly && <button type="button" className="icon small" aria-label={t("form.remove", { label: row.name })} onClick={() => set(rows.toSpliced(index, 1))}><X size={15} /></button>}
          </div>
          <ValueField label={t("form.fieldValue")} value={row.value} onChange={(next) => change(index, { value: next })} />
        </div>
      ))}
      {!readOnly && (
        <button
          type="button"
          className="drop"
          onClick={() => add("", "")}
          onDragOver={(event) => { if (event.dataTransfer.types.includes(DRAGGED)) event.preventDefault(); }}
          onDrop={(event) => { const source = event.dataTransfer.getData(DRAGGED); event.preventDefault(); if (source) add(lastName(source), `=${source}`); }}
        >
          <Plus size={15} />{t("form.addField")}
        </button>
      )}
    </div>
  );
}
