import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { api } from "../api/api";
import type { Workflow } from "../api/types";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { sayFailures, toggled } from "./bulk";

/** The tags of several workflows: pressed where all bear it, "mixed" where some do. */
export function TagChoice({ rows, onClose }: { rows: Workflow[]; onClose: () => void }) {
  const queries = useQueryClient();
  const known = useQuery({ queryKey: ["tags"], queryFn: api.tags });
  const [fresh, setFresh] = useState("");
  const [add, setAdd] = useState<ReadonlySet<string>>(new Set());
  const [remove, setRemove] = useState<ReadonlySet<string>>(new Set());
  const names = [...new Set([...(known.data ?? []).map((tag) => tag.name), ...rows.flatMap((row) => row.tags), ...add])].sort((left, right) => left.localeCompare(right));
  const save = useMutation({
    mutationFn: () => api.tagWorkflows(rows.map((row) => row.id), [...add], [...remove]),
    onSuccess: async (answer) => {
      sayFailures(answer);
      await Promise.all([queries.invalidateQueries({ queryKey: ["tags"] }), queries.invalidateQueries({ queryKey: ["workflows"] })]);
      onClose();
    },
  });
  const state = (name: string): boolean | "mixed" => {
    if (add.has(name)) return true;
    if (remove.has(name)) return false;
    const bearing = rows.filter((row) => row.tags.includes(name)).length;
    return bearing === rows.length ? true : bearing > 0 ? "mixed" : false;
  };
  const press = (name: string) => {
    const next = state(name) !== true;
    const without = (set: ReadonlySet<string>) => (set.has(name) ? toggled(set, name) : set);
    setAdd(next ? new Set([...add, name]) : without(add));
    setRemove(next ? without(remove) : new Set([...remove, name]));
  };
  const make = () => {
    const name = fresh.trim();
    if (name) setAdd(new Set([...add, name]));
    setFresh("");
  };
  return (
    <Dialog
      title={t("tags.of", { count: rows.length })}
      onClose={onClose}
      onSubmit={() => save.mutate()}
      footer={<><button type="button" onClick={onClose}>{t("action.cancel")}</button><button className="primary" disabled={(add.size === 0 && remove.size === 0) || save.isPending}>{t("action.save")}</button></>}
    >
      {names.length > 0 && (
        <div className="choices" role="group" aria-label={t("page.tags")}>
          {names.map((name) => <button key={name} type="button" className="badge" aria-pressed={state(name)} onClick={() => press(name)}>{name}</button>)}
        </div>
      )}
      <div className="row">
        <input aria-label={t("tags.create")} placeholder={t("tags.create")} maxLength={128} value={fresh} onChange={(event) => setFresh(event.target.value)} onKeyDown={(event) => { if (event.key === "Enter" && fresh.trim()) { event.preventDefault(); make(); } }} />
        <button type="button" disabled={!fresh.trim()} onClick={make}><Plus size={16} />{t("form.add")}</button>
      </div>
      {save.isError && <p className="notice" role="alert">{save.error.message}</p>}
    </Dialog>
  );
}
