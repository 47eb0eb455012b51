import { useState } from "react";
import { renameNode } from "../graph/commands";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { useEditor, useEditorStore } from "./store";

/** A new name for a node; expressions that refer to it follow. */
export function RenameDialog({ id }: { id: string }) {
  const store = useEditorStore();
  const before = useEditor((state) => state.history.graph.nodes[id]?.name ?? "");
  const [name, setName] = useState(before);
  const close = () => store.setState({ renaming: null });
  const rename = () => {
    store.getState().change(renameNode(id, name));
    close();
  };
  return (
    <Dialog title={t("editor.rename")} onClose={close} onSubmit={rename} footer={<><button type="button" onClick={close}>{t("action.cancel")}</button><button className="primary" disabled={!name.trim()}>{t("editor.rename")}</button></>}>
      <div className="field">
        <label htmlFor="node-name">{t("editor.name")}</label>
        <input id="node-name" autoFocus value={name} onFocus={(event) => event.target.select()} onChange={(event) => setName(event.target.value)} />
        <span className="hint">{t("editor.renameText")}</span>
      </div>
    </Dialog>
  );
}
