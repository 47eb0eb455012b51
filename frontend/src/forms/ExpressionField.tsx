import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import type { Evaluation } from "../api/types";
import { t } from "../i18n";
import { usePlace } from "./context";

export const CodeEditor = lazy(() => import("./CodeEditor"));

/** Long enough to join the letters of one keystroke or paste; what is typed later cancels the call before. */
const PAUSE_MS = 15;

/** An expression with its value for the chosen item under it. `value` begins with "=". */
export function ExpressionField({ value, label, onChange }: { value: string; label: string; onChange: (value: string) => void }) {
  const { completions, readOnly } = usePlace();
  return (
    <div className="expression">
      <Suspense fallback={<div className="code expression">{value.slice(1)}</div>}>
        <CodeEditor value={value.slice(1)} language="expression" label={label} completions={completions} readOnly={readOnly} onChange={(text) => onChange(`=${text}`)} />
      </Suspense>
      <Preview expression={value} />
    </div>
  );
}

function Preview({ expression }: { expression: string }) {
  const { evaluate, previews, dataKey } = usePlace();
  const settled = useSettled(expression);
  const wanted = settled.includes("{{") && evaluate !== undefined && (previews !== false || !settled.includes("$"));
  const found = useQuery<Evaluation>({
    queryKey: ["evaluate", settled, dataKey],
    queryFn: ({ signal }) => evaluate?.(settled, signal) ?? Promise.reject(new Error()),
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

/** The value once it has not changed for a moment. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
