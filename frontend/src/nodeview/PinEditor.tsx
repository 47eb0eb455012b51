import { Suspense, useState } from "react";
import { CodeEditor } from "../forms/ExpressionField";
import type { Item } from "../graph/document";
import { t } from "../i18n";

const MOST = 4 * 1024 * 1024;

/** The items that a text holds: a list of objects, or of whole items. Throws an Error that says what is wrong with it. */
export function readItems(text: string, before: readonly Item[]): Item[] {
  if (text.length > MOST) throw new Error(t("pin.tooLong"));
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed)) throw new Error(t("pin.noList"));
  return parsed.map((member: unknown, index): Item => {
    if (typeof member !== "object" || member === null || Array.isArray(member)) throw new Error(t("pin.noObject", { number: index }));
    const keys = Object.keys(member);
    const whole = "json" in member && typeof member.json === "object" && member.json !== null && keys.every((key) => ["json", "binary", "pairedItem", "error"].includes(key));
    if (whole) return member as Item;
    const binary = before.length === parsed.length ? before[index]?.binary : undefined;
    return { json: member as Record<string, unknown>, ...(binary && { binary }) };
  });
}

/** Output as JSON, to be changed and kept as pinned data. */
export function PinEditor({ items, onSave, onCancel }: { items: Item[]; onSave: (items: Item[]) => void; onCancel: () => void }) {
  const [text, setText] = useState(() => JSON.stringify(items.map((item) => (Array.isArray(item.json) ? { json: item.json } : item.json)), null, 2));
  const [problem, setProblem] = useState("");
  const save = () => {
    try {
      onSave(readItems(text, items));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div className="pin-editor">
      <div className="pin-text"><Suspense><CodeEditor value={text} language="json" label={t("pin.text")} rows={18} onChange={(next) => { setText(next); setProblem(""); }} /></Suspense></div>
      {problem && <p className="notice" role="alert">{problem}</p>}
      <div className="row">
        <span className="soft grow">{t("pin.hint")}</span>
        <button type="button" onClick={onCancel}>{t("action.cancel")}</button>
        <button type="button" className="primary" onClick={save}>{t("pin.save")}</button>
      </div>
    </div>
  );
}
