import { useMutation, useQueryClient } from "@tanstack/react-query";
import { FileUp, Link2 } from "lucide-react";
import { type ChangeEvent, useRef, useState } from "react";
import { api } from "../api/api";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { Menu } from "../ui/Menu";
import { say, sayError } from "../ui/toast";

function useImport(onDone?: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (given: () => unknown) => api.importWorkflow(await given()),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["workflows"] });
      say(t("workflows.imported"));
      onDone?.();
    },
  });
}

/** Workflows from a file, from an address, or from a text. */
export function Import() {
  const file = useRef<HTMLInputElement>(null);
  const [asking, setAsking] = useState(false);
  const load = useImport();
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const given = event.target.files?.[0];
    if (given) load.mutate(async () => JSON.parse(await given.text()) as unknown, { onError: sayError });
    event.target.value = "";
  };
  return (
    <>
      <input ref={file} type="file" accept=".json,application/json" hidden aria-label={t("workflows.file")} onChange={choose} />
      <Menu
        trigger={<button disabled={load.isPending}><FileUp size={16} />{t("workflows.import")}</button>}
        entries={[
          { label: t("import.file"), icon: <FileUp size={16} />, onSelect: () => file.current?.click() },
          { label: t("import.other"), icon: <Link2 size={16} />, onSelect: () => setAsking(true) },
        ]}
      />
      {asking && <FromElsewhere onClose={() => setAsking(false)} />}
    </>
  );
}

function FromElsewhere({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const load = useImport(onClose);
  const address = /^https?:\/\/\S+$/i.test(text.trim());
  return (
    <Dialog
      title={t("import.title")}
      onClose={onClose}
      onSubmit={() => load.mutate(() => (address ? { url: text.trim() } : (JSON.parse(text) as unknown)))}
      footer={<><button type="button" onClick={onClose}>{t("action.cancel")}</button><button className="primary" disabled={!text.trim() || load.isPending}>{t("workflows.import")}</button></>}
    >
      <div className="field">
        <label htmlFor="import-text">{t("import.text")}</label>
        <textarea id="import-text" rows={6} className="mono" placeholder={'https://…   {"nodes": […]}'} value={text} onChange={(event) => setText(event.target.value)} />
        <span className="hint">{t("import.hint")}</span>
      </div>
      {load.isError && <p className="notice" role="alert">{load.error.message}</p>}
    </Dialog>
  );
}
