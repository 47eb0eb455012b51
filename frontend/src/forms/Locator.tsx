import { ExternalLink } from "lucide-react";
import { t } from "../i18n";
import { usePlace } from "./context";
import type { ControlProps } from "./controls";
import { asText } from "./expression";
import { LookUp } from "./LookUp";

const MODES = ["list", "id", "url"] as const;
type Mode = (typeof MODES)[number] | "name";

interface Located {
  mode: Mode;
  value: unknown;
  cachedResultName?: string;
  cachedResultUrl?: string;
}

/** A thing at a service: chosen from a list, or named by its address or its id. */
export function Locator({ id, property, value, onChange }: ControlProps) {
  const { readOnly, lookUp } = usePlace();
  const held: Located = typeof value === "object" && value !== null ? { mode: "id", ...(value as Partial<Located>), value: (value as Located).value } : { mode: lookUp && !value ? "list" : "id", value };
  const modes: Mode[] = held.mode === "name" ? [...MODES, "name"] : [...MODES];
  const set = (next: Located) => onChange({ __rl: true, ...next });
  const text = asText(held.value);
  return (
    <div className="row locator">
      <select aria-label={t("form.locator", { label: property.display_name })} value={held.mode} disabled={readOnly} onChange={(event) => set({ mode: event.target.value as Mode, value: held.value })}>
        {modes.map((mode) => <option key={mode} value={mode}>{t(`form.locator.${mode}`)}</option>)}
      </select>
      {held.mode === "list" && lookUp ? (
        <LookUp
          id={id}
          label={property.display_name}
          loader={property.loader ?? property.name}
          text={held.cachedResultName ?? text}
          placeholder={property.placeholder}
          onChoose={(choice) => set({ mode: "list", value: choice.value, cachedResultName: choice.name, ...(choice.url && { cachedResultUrl: choice.url }) })}
        />
      ) : (
        <input id={id} type={held.mode === "url" ? "url" : "text"} value={text} disabled={readOnly} placeholder={property.placeholder ?? (held.mode === "url" ? "https://" : "")} onChange={(event) => set({ mode: held.mode, value: event.target.value })} />
      )}
      {held.mode === "list" && held.cachedResultUrl && (
        <a className="button quiet small" href={held.cachedResultUrl} target="_blank" rel="noreferrer" aria-label={t("form.openResource", { name: held.cachedResultName ?? text })}><ExternalLink size={15} /></a>
      )}
    </div>
  );
}
