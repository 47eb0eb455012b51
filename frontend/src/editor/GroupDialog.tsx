import { useState } from "react";
import { changeGroup, GROUP_COLOURS, ungroup } from "../graph/groups";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { useEditor, useEditorStore } from "./store";

/** Name and colour of a group, and its end. */
export function GroupDialog({ id }: { id: string }) {
  const store = useEditorStore();
  const group = useEditor((state) => state.history.graph.groups?.find((each) => each.id === id));
  const [name, setName] = useState(group?.name ?? "");
  const [color, setColor] = useState(group?.color ?? 1);
  const close = () => store.setState({ naming: null });
  const change = () => {
    store.getState().change(changeGroup(id, { name: name.trim(), color }));
    close();
  };
  const end = () => {
    store.getState().change(ungroup([id]));
    close();
  };
  return (
    <Dialog
      title={t("group.title")}
      onClose={close}
      onSubmit={change}
      footer={<><button type="button" onClick={end}>{t("editor.ungroup")}</button><button className="primary" disabled={!name.trim()}>{t("action.save")}</button></>}
    >
      <div className="field">
        <label htmlFor="group-name">{t("group.name")}</label>
        <input id="group-name" autoFocus value={name} onFocus={(event) => event.target.select()} onChange={(event) => setName(event.target.value)} />
      </div>
      <fieldset className="swatches">
        <legend>{t("group.colour")}</legend>
        {Array.from({ length: GROUP_COLOURS }, (_, index) => index + 1).map((each) => (
          <label key={each} className={`swatch colour-${each}`}>
            <input type="radio" name="group-colour" checked={color === each} aria-label={t("group.colourNumber", { number: each })} onChange={() => setColor(each)} />
          </label>
        ))}
      </fieldset>
    </Dialog>
  );
}
