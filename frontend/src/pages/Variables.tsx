import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Braces, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../api/api";
import type { Variable } from "../api/types";
import { t } from "../i18n";
import { Confirm, Dialog } from "../ui/Dialog";
import { Empty, Failed, Loading } from "../ui/states";
import { sayError } from "../ui/toast";

const KEY = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** Values that every workflow can read as `$vars.name`. */
export function Variables() {
  const [edited, setEdited] = useState<Variable | "new" | null>(null);
  const [doomed, setDoomed] = useState<Variable | null>(null);
  const queries = useQueryClient();
  const found = useQuery({ queryKey: ["variables"], queryFn: api.variables });
  const remove = useMutation({
    mutationFn: (key: string) => api.deleteVariable(key),
    onSettled: () => queries.invalidateQueries({ queryKey: ["variables"] }),
    onError: sayError,
  });
  const rows = found.data ?? [];
  const create = <button className="primary" onClick={() => setEdited("new")}><Plus size={17} />{t("variables.create")}</button>;
  return (
    <>
      <div className="head">
        <div className="title"><h1>{t("page.variables")}</h1><p>{t("variables.text")}</p></div>
        {create}
      </div>
      <div className="card table">
        {found.isError ? <Failed error={found.error} onRetry={() => void found.refetch()} />
          : found.isPending ? <Loading />
          : rows.length === 0 ? <Empty icon={<Braces />} title={t("variables.none")} actions={create}>{t("variables.noneText")}</Empty>
          : (
            <table>
              <thead><tr><th>{t("variables.key")}</th><th>{t("variables.value")}</th><th className="hide-small">{t("variables.use")}</th><th><span className="sr">{t("action.actions")}</span></th></tr></thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.key}>
                    <td className="name mono">{row.key}</td>
                    <td className="mono">{row.is_secret ? "••••••••" : row.value}</td>
                    <td className="soft hide-small"><code>{`{{ $vars.${row.key} }}`}</code></td>
                    <td className="tail">
                      <button className="icon small" aria-label={t("action.edit")} onClick={() => setEdited(row)}><Pencil size={16} /></button>
                      <button className="icon small" aria-label={t("action.delete")} onClick={() => setDoomed(row)}><Trash2 size={16} /></button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
      </div>
      {edited && <Form variable={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
      {doomed && <Confirm title={t("variables.delete", { key: doomed.key })} text={t("variables.deleteText")} action={t("action.delete")} onConfirm={() => remove.mutate(doomed.key)} onClose={() => setDoomed(null)} />}
    </>
  );
}

function Form({ variable, onClose }: { variable: Variable | null; onClose: () => void }) {
  const [key, setKey] = useState(variable?.key ?? "");
  const [value, setValue] = useState(variable?.is_secret ? "" : (variable?.value ?? ""));
  const [secret, setSecret] = useState(variable?.is_secret ?? false);
  const wrong = key !== "" && !KEY.test(key);
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () => (variable ? api.updateVariable(key, { value, is_secret: secret }) : api.createVariable({ key, value, is_secret: secret })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["variables"] });
      onClose();
    },
  });
  return (
    <Dialog
      title={t(variable ? "variables.edit" : "variables.create")}
      onClose={onClose}
      onSubmit={() => save.mutate()}
      footer={<><button type="button" onClick={onClose}>{t("action.cancel")}</button><button className="primary" disabled={!KEY.test(key) || save.isPending}>{t("action.save")}</button></>}
    >
      <div className="field">
        <label htmlFor="variable-key">{t("variables.key")}</label>
        <input id="variable-key" className="mono" value={key} disabled={variable !== null} aria-invalid={wrong} aria-describedby="variable-key-hint" onChange={(event) => setKey(event.target.value)} />
        <span className={wrong ? "hint must" : "hint"} id="variable-key-hint">{t("variables.keyHint")}</span>
      </div>
      <div className="field">
        <label htmlFor="variable-value">{t("variables.value")}</label>
        <textarea id="variable-value" rows={3} value={value} onChange={(event) => setValue(event.target.value)} />
      </div>
      <label className="row"><input type="checkbox" className="switch" checked={secret} onChange={(event) => setSecret(event.target.checked)} />{t("variables.secret")}</label>
      {save.isError && <p className="notice" role="alert">{save.error.message}</p>}
    </Dialog>
  );
}
