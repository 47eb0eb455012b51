import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy, KeySquare, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../api/api";
import type { ApiKey } from "../api/types";
import { t } from "../i18n";
import { ago, when } from "../shell/format";
import { Confirm, Dialog } from "../ui/Dialog";
import { Empty, Failed, Loading } from "../ui/states";
import { toggled } from "../pages/bulk";
import { say, sayError } from "../ui/toast";
import { KINDS, PRESETS, SCOPES, shortened } from "./scopes";

const DAY_MS = 86_400_000;
const DAYS = [30, 90, 365];

/** Keys for scripts; each is shown once. */
export function ApiKeys() {
  const [creating, setCreating] = useState(false);
  const [doomed, setDoomed] = useState<ApiKey | null>(null);
  const queries = useQueryClient();
  const found = useQuery({ queryKey: ["api-keys"], queryFn: api.apiKeys });
  const remove = useMutation({
    mutationFn: (id: string) => api.deleteApiKey(id),
    onSettled: () => queries.invalidateQueries({ queryKey: ["api-keys"] }),
    onError: sayError,
  });
  const rows = found.data ?? [];
  const create = <button className="primary" onClick={() => setCreating(true)}><Plus size={17} />{t("keys.create")}</button>;
  return (
    <>
      <div className="tools"><p className="soft grow">{t("keys.text")}</p>{rows.length > 0 && create}</div>
      <div className="card table">
        {found.isError ? <Failed error={found.error} onRetry={() => void found.refetch()} />
          : found.isPending ? <Loading lines={3} />
          : rows.length === 0 ? <Empty icon={<KeySquare />} title={t("keys.none")} actions={create}>{t("keys.noneText")}</Empty>
          : (
            <table>
              <thead><tr><th>{t("keys.name")}</th><th>{t("keys.start")}</th><th className="hide-small">{t("keys.scopes")}</th><th>{t("keys.used")}</th><th>{t("keys.expires")}</th><th><span className="sr">{t("action.actions")}</span></th></tr></thead>
              <tbody>
                {rows.map((key) => (
                  <tr key={key.id}>
                    <td className="name">{key.name}</td>
                    <td className="mono">{key.prefix}…</td>
                    <td className="soft hide-small">{key.scopes.length > 0 ? key.scopes.join(", ") : t("keys.everything")}</td>
                    <td className="soft" title={when(key.last_used_at)}>{key.last_used_at ? ago(key.last_used_at) : t("keys.never")}</td>
                    <td className="soft" title={when(key.expires_at)}>{key.expires_at ? ago(key.expires_at) : t("keys.noEnd")}</td>
                    <td className="tail"><button className="icon small" aria-label={t("keys.revoke")} onClick={() => setDoomed(key)}><Trash2 size={16} /></button></td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
      </div>
      {creating && <Create onClose={() => setCreating(false)} />}
      {doomed && <Confirm title={t("keys.revokeTitle", { name: doomed.name })} text={t("keys.revokeText")} action={t("keys.revoke")} onConfirm={() => remove.mutate(doomed.id)} onClose={() => setDoomed(null)} />}
    </>
  );
}

function Create({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [days, setDays] = useState(90);
  const [limited, setLimited] = useState(false);
  const [scopes, setScopes] = useState<ReadonlySet<string>>(new Set(PRESETS.read));
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () => api.createApiKey({ name, scopes: limited ? shortened(scopes) : [], ...(days > 0 && { expires_at: new Date(Date.now() + days * DAY_MS).toISOString() }) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["api-keys"] }),
  });
  if (make.data) return <Made secret={make.data.key} onClose={onClose} />;
  return (
    <Dialog
      title={t("keys.create")}
      onClose={onClose}
      onSubmit={() => make.mutate()}
      footer={<><button type="button" onClick={onClose}>{t("action.cancel")}</button><button className="primary" disabled={!name.trim() || (limited && scopes.size === 0) || make.isPending}>{t("keys.create")}</button></>}
    >
      <div className="field"><label htmlFor="key-name">{t("keys.name")}</label><input id="key-name" value={name} placeholder={t("keys.nameHint")} onChange={(event) => setName(event.target.value)} /></div>
      <div className="field">
        <label htmlFor="key-days">{t("keys.expires")}</label>
        <select id="key-days" value={days} onChange={(event) => setDays(Number(event.target.value))}>
          {DAYS.map((each) => <option key={each} value={each}>{t("keys.days", { count: each })}</option>)}
          <option value={0}>{t("keys.noEnd")}</option>
        </select>
      </div>
      <div className="field">
        <label htmlFor="key-scopes">{t("keys.scopes")}</label>
        <select id="key-scopes" value={String(limited)} onChange={(event) => setLimited(event.target.value === "true")}>
          <option value="false">{t("keys.everything")}</option>
          <option value="true">{t("keys.limited")}</option>
        </select>
      </div>
      {limited && <Scopes chosen={scopes} onChange={setScopes} />}
      {make.isError && <p className="notice" role="alert">{make.error.message}</p>}
    </Dialog>
  );
}

function Scopes({ chosen, onChange }: { chosen: ReadonlySet<string>; onChange: (chosen: ReadonlySet<string>) => void }) {
  return (
    <div className="stack tight">
      <div className="row">
        {(["read", "run"] as const).map((preset) => <button key={preset} type="button" className="quiet small" onClick={() => onChange(new Set(PRESETS[preset]))}>{t(`keys.preset.${preset}`)}</button>)}
      </div>
      {KINDS.map((kind) => (
        <fieldset key={kind} className="scopes">
          <legend>{t(`scope.${kind}`)}</legend>
          {SCOPES[kind].map((verb) => {
            const scope = `${kind}:${verb}`;
            return <label key={verb} className="row"><input type="checkbox" checked={chosen.has(scope)} onChange={() => onChange(toggled(chosen, scope))} />{t(`scope.verb.${verb}`)}</label>;
          })}
        </fieldset>
      ))}
    </div>
  );
}

function Made({ secret, onClose }: { secret: string; onClose: () => void }) {
  const copy = () => void navigator.clipboard.writeText(secret).then(() => say(t("state.copied")));
  return (
    <Dialog title={t("keys.made")} onClose={onClose} footer={<button className="primary" onClick={onClose}>{t("action.done")}</button>}>
      <p className="notice info">{t("keys.once")}</p>
      <div className="row"><input className="mono" readOnly value={secret} aria-label={t("keys.key")} /><button type="button" onClick={copy}><Copy size={16} />{t("action.copy")}</button></div>
    </Dialog>
  );
}
