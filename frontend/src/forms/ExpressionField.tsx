import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import type { Evaluation } from "../api/types";
import { t } from "../i18n";
import { usePlace } from "./context";

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
  const { completions, readOnly } = usePlace();
  return (
    <div className="expression">
      <Suspense fallback={typed ? <input autoFocus aria-label={label} value={value.slice(1)} onChange={(event) => onChange(`=${event.target.value}`)} /> : <div className="code expression">{value.slice(1)}</div>}>
        <CodeEditor value={value.slice(1)} language="expression" label={label} completions={completions} readOnly={readOnly} focused={typed} onChange={(text) => onChange(`=${text}`)} />
      </Suspense>
      <Preview expression={value} />
    </div>
  );
}

/** Asked for at every key: what is typed next cancels the call before. */
function Preview({ expression }: { expression: string }) {
  const { evaluate, previews, dataKey } = usePlace();
  const wanted = expression.includes("{{") && evaluate !== undefined && (previews !== false || !expression.includes("$"));
  const found = useQuery<Evaluation>({
    queryKey: ["evaluate", expression, dataKey],
    queryFn: ({ signal }) => evaluate?.(expression, signal) ?? Promise.reject(new Error()),
    enabled: wanted,
    retry: false,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
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
