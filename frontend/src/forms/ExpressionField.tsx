import { keepPreviousData, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import type { Evaluation } from "../api/types";
import { t } from "../i18n";
import { type FormPlace, usePlace } from "./context";

export const CodeEditor = lazy(() => import("./CodeEditor"));

interface ExpressionProps {
  /** Begins with "=". */
  value: string;
  label: string;
  /** It comes in place of a field that is being typed into: the keyboard goes on in it. */
  typed?: boolean;
  onChange: (value: string) => void;
}

/** An expression with its value for the chosen item under it. */
export function ExpressionField({ value, label, typed = false, onChange }: ExpressionProps) {
  const place = usePlace();
  const { completions, readOnly } = place;
  const queries = useQueryClient();
  const change = (text: string) => {
    const expression = `=${text}`;
    // asked before the page is drawn anew, which takes longer than the answer; what fails is shown by the preview
    if (previewed(expression, place)) queries.query(previewQuery(expression, place)).catch(() => undefined);
    onChange(expression);
  };
  return (
    <div className="expression">
      <Suspense fallback={typed ? <input autoFocus aria-label={label} value={value.slice(1)} onChange={(event) => change(event.target.value)} /> : <div className="code expression">{value.slice(1)}</div>}>
        <CodeEditor value={value.slice(1)} language="expression" label={label} completions={completions} readOnly={readOnly} focused={typed} onChange={change} />
      </Suspense>
      <Preview expression={value} />
    </div>
  );
}

const previewed = (expression: string, { evaluate, previews }: FormPlace): boolean =>
  expression.includes("{{") && evaluate !== undefined && (previews !== false || !expression.includes("$"));

const previewQuery = (expression: string, { evaluate, dataKey }: FormPlace) =>
  queryOptions<Evaluation>({
    queryKey: ["evaluate", expression, dataKey],
    queryFn: ({ signal }) => evaluate?.(expression, signal) ?? Promise.reject(new Error()),
    retry: false,
    staleTime: 60_000,
  });

/** Asked for at every key: what is typed next cancels the call before. */
function Preview({ expression }: { expression: string }) {
  const place = usePlace();
  const wanted = previewed(expression, place);
  const found = useQuery({ ...previewQuery(expression, place), enabled: wanted, placeholderData: keepPreviousData });
  if (!wanted) return null;
  const error = found.error?.message ?? messageOf(found.data);
  if (error) return <output className="preview bad">{error}</output>;
  return <output className="preview" aria-label={t("form.preview")}>{found.data ? shown(found.data.value) : "…"}</output>;
}

const messageOf = (evaluation: Evaluation | undefined): string =>
  typeof evaluation?.error === "string" ? evaluation.error : (evaluation?.error?.message ?? "");

function shown(value: unknown): string {
  if (value === undefined || value === null) return t("form.empty");
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text === "" ? t("form.empty") : text.slice(0, 400);
}
