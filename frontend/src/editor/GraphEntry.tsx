import { useReactFlow } from "@xyflow/react";
import { t } from "../i18n";
import { useEditor, useEditorStore } from "./store";
import { goTo, walk } from "./walking";
import { shownGraph } from "./folding";
import { sceneOf } from "./scene";

/** The one stop of the Tab key for the graph: arrow keys walk on from here, through nodes that are painted too. */
export function GraphEntry() {
  const store = useEditorStore();
  const flow = useReactFlow();
  const count = useEditor((state) => Object.keys(state.history.graph.nodes).length);
  const enter = () => {
    const { definitions, selection } = store.getState();
    const shown = shownGraph(store.getState());
    const id = selection.at(-1) ?? walk(shown, sceneOf(shown, definitions), null, "first");
    if (id) goTo(store, flow, id);
  };
  return (
    <button className="graph-entry" aria-describedby="graph-keys" onClick={enter}>
      {t("editor.graph", { count })}
      <span id="graph-keys" hidden>{t("editor.graphKeys")}</span>
    </button>
  );
}
