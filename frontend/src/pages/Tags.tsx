import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, Pencil, Plus, Tag as TagIcon, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { api } from "../api/api";
import type { Tag } from "../api/types";
import { t } from "../i18n";
import { Confirm, Dialog } from "../ui/Dialog";
import { Empty, Failed, Loading } from "../ui/states";
import { sayError } from "../ui/toast";

/** Words that workflows are found by: make, rename, delete, and see what bears them. */
export function Tags() {
  const [edited, setEdited] = useState<Tag | "new" | null>(null);
  const [doomed, setDoomed] = useState<Tag | null>(null);
  const queries = useQueryClient();
  const found = useQuery({ queryKey: ["tags"], queryFn: api.tags });
  const remove = useMutation({
    mutationFn: (name: string) => api.deleteTag(name),
    onSettled: () => Promise.all([queries.invalidateQueries({ queryKey: ["tags"] }), queries.invalidateQueries({ queryKey: ["workflows"] })]),
    onError: sayError,
  });
  const rows = found.data ?? [];
  const create = <button className="primary" onClick={() => setEdited("new")}><Plus size={17} />{t("tags.create")}</button>;
  return (
    <>
      <div className="head">
        <Link className="button quiet" to="/workflows" aria-label={t("tags.back")}><ArrowLeft size={17} /></Link>
        <div className="title"><h1>{t("page.tags")}</h1><p>{t("tags.text")}</p></div>
        {create}
      </div>
      <div className="card table">
        {found.isError ? <Failed error={found.error} onRetry={() => void found.refetch()} />
          : found.isPending ? <Loading />
          : rows.length === 0 ? <Empty icon={<TagIcon />} title={t("tags.none")} actions={create}>{t("tags.noneText")}</Empty>
          : (
            <table>
              <thead><tr><th>{t("tags.name")}</th><th>{t("page.workflows")}</th><th><span className="sr">{t("action.actions")}</span></th></tr></thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.name}>
                    <td className="name">{row.name}</td>
                    <td><Link to={`/workflows?tag=${encodeURIComponent(row.name)}`}>{t("tags.used", { count: row.workflow_count })}</Link></td>
                    <td className="tail">
                      <button className="icon small" aria-label={t("tags.rename", { name: row.name })} onClick={() => setEdited(row)}><Pencil size={16} /></button>
                      <button className="icon small" aria-label={t("tags.deleteOne", { name: row.name })} onClick={() => setDoomed(row)}><Trash2 size={16} /></button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
      </div>
      {edited && <Form tag={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
      {doomed && <Confirm title={t("tags.delete", { name: doomed.name })} text={t("tags.deleteText", { count: doomed.workflow_count })} action={t("action.delete")} onConfirm={() => remove.mutate(doomed.name)} onClose={() => setDoomed(null)} />}
    </>
  );
}

function Form({ tag, onClose }: { tag: Tag | null; onClose: () => void }) {
  const [name, setName] = useState(tag?.name ?? "");
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () => (tag ? api.renameTag(tag.name, name.trim()) : api.createTag(name.trim())),
    onSuccess: async () => {
      await Promise.all([queries.invalidateQueries({ queryKey: ["tags"] }), queries.invalidateQueries({ queryKey: ["workflows"] })]);
      onClose();
    },
  });
  return (
    <Dialog
      title={tag ? t("tags.rename", { name: tag.name }) : t("tags.create")}
      onClose={onClose}
      onSubmit={() => save.mutate()}
      footer={<><button type="button" onClick={onClose}>{t("action.cancel")}</button><button className="primary" disabled={!name.trim() || save.isPending}>{t("action.save")}</button></>}
    >
      <div className="field"><label htmlFor="tag-name">{t("tags.name")}</label><input id="tag-name" maxLength={128} value={name} onChange={(event) => setName(event.target.value)} /></div>
      {save.isError && <p className="notice" role="alert">{save.error.message}</p>}
    </Dialog>
  );
}
