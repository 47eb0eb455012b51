import { Plus, X } from "lucide-react";
import { named, t } from "../i18n";
import { usePlace } from "./context";
import type { FieldProps } from "./PropertyField";
import { ValueField } from "./ValueField";

interface Operator {
  type: string;
  operation: string;
  singleValue?: boolean;
}

interface Condition {
  id: string;
  leftValue: unknown;
  rightValue: unknown;
  operator: Operator;
}

interface Filter {
  options?: Record<string, unknown>;
  conditions?: Condition[];
  combinator?: "and" | "or";
}

const PRESENCE = ["exists", "notExists", "empty", "notEmpty"];
const ORDER = ["equals", "notEquals", "gt", "lt", "gte", "lte"];

/** Operations by type, as the node SDK evaluates them (`conditions.py`). */
const OPERATIONS: Record<string, string[]> = {
  string: ["equals", "notEquals", "contains", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith", "regex", "notRegex", ...PRESENCE],
  number: [...ORDER, ...PRESENCE],
  dateTime: ["equals", "notEquals", "after", "before", "afterOrEquals", "beforeOrEquals", ...PRESENCE],
  boolean: ["true", "false", "equals", "notEquals", ...PRESENCE],
  array: ["contains", "notContains", "lengthEquals", "lengthNotEquals", "lengthGt", "lengthLt", "lengthGte", "lengthLte", ...PRESENCE],
  object: PRESENCE,
};
const UNARY = new Set([...PRESENCE, "true", "false"]);
const DEFAULT_OPTIONS = { caseSensitive: true, leftValue: "", typeValidation: "strict", version: 2 };

const blank = (): Condition => ({ id: crypto.randomUUID(), leftValue: "", rightValue: "", operator: { type: "string", operation: "equals" } });

/** Conditions joined by and, or. */
export default function FilterField({ value, onChange }: FieldProps) {
  const { readOnly } = usePlace();
  const held = (value ?? {}) as Filter;
  const rows = held.conditions ?? [];
  const set = (part: Partial<Filter>) => onChange({ options: DEFAULT_OPTIONS, combinator: "and", ...held, ...part });
  const change = (index: number, part: Partial<Condition>) => set({ conditions: rows.map((row, at) => (at === index ? { ...row, ...part } : row)) });
  const join = held.combinator === "or" ? "or" : "and";
  return (
    <div className="stack tight">
      {rows.map((row, index) => (
        <div key={row.id || index} className="stack tight">
          {index > 0 && (
            <div className="segments join" role="group" aria-label={t("form.combinator")}>
              {(["and", "or"] as const).map((each) => <button key={each} type="button" disabled={readOnly} aria-pressed={join === each} onClick={() => set({ combinator: each })}>{t(`form.${each}`)}</button>)}
            </div>
          )}
          <div className="entry" role="group" aria-label={t("form.condition", { number: index + 1 })}>
            <ValueField label={t("form.left")} value={row.leftValue} onChange={(leftValue) => change(index, { leftValue })} />
            <div className="row">
              <OperatorSelect operator={row.operator} disabled={readOnly ?? false} onChange={(operator) => change(index, { operator })} />
              {!readOnly && <button type="button" className="icon small" aria-label={t("form.remove", { label: t("form.condition", { number: index + 1 }) })} onClick={() => set({ conditions: rows.toSpliced(index, 1) })}><X size={15} /></button>}
            </div>
            {!UNARY.has(row.operator.operation) && <ValueField label={t("form.right")} value={row.rightValue} onChange={(rightValue) => change(index, { rightValue })} />}
          </div>
        </div>
      ))}
      {!readOnly && <button type="button" className="drop" onClick={() => set({ conditions: [...rows, blank()] })}><Plus size={15} />{t("form.addCondition")}</button>}
    </div>
  );
}

function OperatorSelect({ operator, disabled, onChange }: { operator: Operator; disabled: boolean; onChange: (operator: Operator) => void }) {
  const choose = (chosen: string) => {
    const [type = "string", operation = "equals"] = chosen.split("/");
    onChange({ type, operation, ...(UNARY.has(operation) && { singleValue: true }) });
  };
  return (
    <select aria-label={t("form.operator")} value={`${operator.type}/${operator.operation}`} disabled={disabled} onChange={(event) => choose(event.target.value)}>
      {Object.entries(OPERATIONS).map(([type, operations]) => (
        <optgroup key={type} label={named(`type.${type}`, type)}>
          {operations.map((operation) => <option key={operation} value={`${type}/${operation}`}>{named(`operation.${operation}`, operation)}</option>)}
        </optgroup>
      ))}
    </select>
  );
}
