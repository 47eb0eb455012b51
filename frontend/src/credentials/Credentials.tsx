import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Pencil, Plus, Search, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../api/api";
import type { Credential } from "../api/types";
import { t } from "../i18n";
import { ago, when } from "../shell/format";
import { Confirm } from "../ui/Dialog";
import { Empty, Failed, Loading } from "../ui/states";
import { sayError } from "../ui/toast";
import { CredentialDialog } from "./CredentialDialog";
import { useTypeName } from "./types";

/** Sign-ins for services; only their names are ever shown. */
export function Credentials() {
  const [search, setSearch] = useState("");
  const [edited, setEdited] = useState<Credential | "new" | null>(null);
  const [doomed, setDoomed] = useState<Credential | null>(null);
  const queries = useQueryClient();
  const found = useQuery({ queryKey: ["credentials", ""], queryFn: () => api.credentials() });
  const remove = useMutation({
    mutationFn: (id: string) => api.deleteCredential(id),
    onSettled: () => queries.invalidateQueries({ queryKey: ["credentials"] }),
    onError: sayError,
  });
  const typeName = useTypeName();
  const all = found.data?.rows ?? [];
  const rows = all.filter((row) => `${row.name} ${typeName(row.type)}`.toLowerCase().includes(search.toLowerCase()));
  const create = <button className="primary" onClick={() => setEdited("new")}><Plus size={17} />{t("credentials.create")}</button>;
  return (
    <>
      <div className="head">
        <div className="title"><h1>{t("page.credentials")}</h1><p>{t("credentials.text")}</p></div>
        {create}
      </div>
      {all.length > 0 && (
        <div className="tools"><div className="search"><Search size={16} /><input type="search" aria-label={t("credentials.search")} placeholder={t("credentials.search")} value={search} onChange={(event) => setSearch(event.target.value)} /></div></div>
      )}
      <div className="card table">
        {found.isError ? <Failed error={found.error} onRetry={() => void found.refetch()} />
          : found.isPending ? <Loading />
          : all.length === 0 ? <Empty icon={<KeyRound />} title={t("credentials.none")} actions={create}>{t("credentials.noneText")}</Empty>
          : rows.length === 0 ? <Empty icon={<Search />} title={t("state.noMatch")}>{t("state.noMatchText")}</Empty>
          : (
            <table>
              <thead><tr><th>{t("credentials.name")}</th><th>{t("credentials.type")}</th><th className="hide-small">{t("workflows.changed")}</th><th><span className="sr">{t("action.actions")}</span></th></tr></thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.id}>
                    <td className="name"><button className="text" onClick={() => setEdited(row)}>{row.name}</button></td>
                    <td className="soft">{typeName(row.type)}{row.connected_at && <> <span className="status success">{t("credentials.connected")}</span></>}</td>
                    <td className="soft hide-small" title={when(row.updated_at)}>{ago(row.updated_at)}</td>
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
      {edited && <CredentialDialog {...(edited === "new" ? {} : { credential: edited })} onClose={() => setEdited(null)} />}
      {doomed && <Confirm title={t("credentials.delete", { name: doomed.name })} text={t("credentials.deleteText")} action={t("action.delete")} onConfirm={() => remove.mutate(doomed.id)} onClose={() => setDoomed(null)} />}
    </>
  );
}
