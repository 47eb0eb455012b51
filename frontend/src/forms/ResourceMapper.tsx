import { useInfiniteQuery } from "@tanstack/react-query";
import { RefreshCw, Wand2 } from "lucide-react";
import { useEffect } from "react";
import type { LookedUp } from "../api/types";
import { named, t } from "../i18n";
import { usePlace } from "./context";
import { asText, isExpression, pathSource } from "./expression";
import type { FieldProps } from "./PropertyField";
import { ValueField } from "./ValueField";

type Mode = "defineBelow" | "autoMapInputData";

/** As documents hold it. `value`: column to what is written; `schema`: the columns as they were when they were read. */
interface Mapping {
  mappingMode?: Mode;
  value?: Record<string, unknown> | null;
  matchingColumns?: string[];
  schema?: Column[];
}

interface Column {
  id: string;
  displayName: string;
  required: boolean;
  defaultMatch: boolean;
  display: boolean;
  type?: string;
  canBeUsedToMatch: boolean;
  removed?: boolean;
}

const columnOf = (choice: LookedUp): Column => ({
  id: String(choice.value),
  displayName: choice.name,
  required: choice.required ?? false,
  defaultMatch: choice.match ?? false,
  display: true,
  ...(choice.type && { type: choice.type }),
  canBeUsedToMatch: true,
});

/** Operations that look for what is there already, by columns. */
const MATCHES = /update|upsert|delete/i;

/** What is written as the column's type: a number or a boolean that was typed is one. */
function typed(value: unknown, type: string | undefined): unknown {
  if (typeof value !== "string" || isExpression(value)) return value;
  if (value === "") return null;
  if (type === "number" && !Number.isNaN(Number(value))) return Number(value);
  if (type === "boolean" && (value === "true" || value === "false")) return value === "true";
  return value;
}

/** Values for the columns that a service has: by hand, or each from the field of its name. */
export default function ResourceMapper({ id, property, value, root, onChange }: FieldProps) {
  const { readOnly, lookUp, inputFields } = usePlace();
  const held = (value ?? {}) as Mapping;
  const mode = held.mappingMode ?? "defineBelow";
  // columns depend on what is chosen at the service, not on every other parameter
  const chosen = Object.entries(root).filter(([, other]) => typeof other === "object" && other !== null && "__rl" in other);
  const found = useInfiniteQuery({
    queryKey: ["columns", id, property.name, JSON.stringify(chosen)],
    queryFn: ({ pageParam, signal }) => lookUp?.(property.loader ?? property.name, "", pageParam, signal) ?? Promise.reject(new Error()),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    enabled: lookUp !== undefined && !readOnly,
    retry: false,
    gcTime: 0,
  });
  const { hasNextPage, isFetching, fetchNextPage } = found;
  useEffect(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  const columns = found.data && !found.isError ? found.data.pages.flatMap((page) => page.options).map(columnOf) : (held.schema ?? []);
  const values = held.value ?? {};
  const matching = held.matchingColumns ?? [];
  const matches = matching.length > 0 || MATCHES.test(asText(root.operation));
  const set = (part: Mapping) => onChange({ mappingMode: "defineBelow", value: null, matchingColumns: [], ...held, schema: columns, ...part });
  const toggle = (column: string) => set({ matchingColumns: matching.includes(column) ? matching.filter((each) => each !== column) : [...matching, column] });
  const mapAll = () => {
    const fields = new Set(inputFields);
    const added = columns.filter((column) => fields.has(column.id) && (values[column.id] ?? null) === null);
    set({ value: { ...values, ...Object.fromEntries(added.map((column) => [column.id, `={{ ${pathSource("$json", [column.id])} }}`])) } });
  };
  return (
    <div className="stack tight mapper">
      <div className="row">
        <select id={id} aria-label={t("mapper.mode", { label: property.display_name })} value={mode} disabled={readOnly} onChange={(event) => set({ mappingMode: event.target.value as Mode })}>
          <option value="defineBelow">{t("mapper.below")}</option>
          <option value="autoMapInputData">{t("mapper.auto")}</option>
        </select>
        {!readOnly && <button type="button" className="icon small" aria-label={t("mapper.reload")} onClick={() => void found.refetch()}><RefreshCw size={15} className={isFetching ? "spin" : ""} /></button>}
      </div>
      {found.isError && <p className="notice" role="alert">{found.error.message}</p>}
      {!found.isError && !isFetching && columns.length === 0 && <p className="soft">{t("mapper.none")}</p>}
      {matches && columns.length > 0 && (
        <div className="field" role="group" aria-label={t("mapper.match")}>
          <span className="label">{t("mapper.match")}</span>
          <div className="choices">
            {columns.filter((column) => column.canBeUsedToMatch).map((column) => (
              <button key={column.id} type="button" className="badge" disabled={readOnly} aria-pressed={matching.includes(column.id)} onClick={() => toggle(column.id)}>{column.displayName}</button>
            ))}
          </div>
        </div>
      )}
      {mode === "autoMapInputData" && <p className="soft">{t("mapper.autoText")}</p>}
      {mode === "defineBelow" && columns.length > 0 && (
        <>
          {!readOnly && Boolean(inputFields?.length) && <button type="button" className="quiet small start" onClick={mapAll}><Wand2 size={15} />{t("mapper.all")}</button>}
          {columns.map((column) => (
            <div key={column.id} className="field" role="group" aria-label={column.displayName}>
              <span className="label">
                {column.displayName}
                {column.required && <span className="must" aria-hidden="true"> *</span>}
                {column.type && <small className="soft"> {named(`type.${column.type}`, column.type)}</small>}
              </span>
              <ValueField label={column.displayName} value={values[column.id] ?? ""} placeholder={t("mapper.leave")} onChange={(next) => set({ value: { ...values, [column.id]: typed(next, column.type) } })} />
            </div>
          ))}
        </>
      )}
    </div>
  );
}
