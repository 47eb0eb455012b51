import { useState } from "react";
import { api } from "../api/api";
import type { ExecutionData } from "../api/types";
import type { Graph } from "../graph/document";
import { extract, isRefused, type Refusal } from "../graph/extract";
import { referencesIn } from "../graph/references";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { say, sayError } from "../ui/toast";
import { portsFor } from "./definitions";
import { isTrigger } from "./faces";
import { useRunData } from "./running";
import { useEditor, useEditorStore } from "./store";

/** The chosen nodes become a workflow of their own; or the reasons why they can't. */
export function ExtractDialog() {
  const store = useEditorStore();
  const graph = useEditor((state) => state.history.graph);
  const selection = useEditor((state) => state.selection);
  const definitions = useEditor((state) => state.definitions);
  const data = useRunData();
  const [name, setName] = useState(t("extract.defaultName", { name: graph.name }));
  const [storing, setStoring] = useState(false);
  const close = () => store.setState({ extracting: false });
  const found = extract(graph, selection, {
    name: name.trim(),
    isTrigger: (node) => isTrigger(definitions[node.type], portsFor(node, definitions[node.type])),
    typeOf: (source) => typeOf(valueOf(source, graph, data)),
  });
  const refused = isRefused(found);
  const begin = async () => {
    if (refused) return;
    setStoring(true);
    try {
      const stored = await api.createWorkflow(found.child, store.getState().workflow?.project_id);
      store.getState().change(found.command(stored.id));
      const call = Object.values(store.getState().history.graph.nodes).find((node) => node.name === found.call);
      store.setState({ selection: call ? [call.id] : [], selectedEdges: [] });
      say(t("extract.done", { name: stored.name }));
      close();
    } catch (error) {
      setStoring(false);
      if (error instanceof Error) sayError(error);
    }
  };
  return (
    <Dialog
      title={t("editor.extract")}
      onClose={close}
      onSubmit={() => void begin()}
      footer={<><button type="button" onClick={close}>{t("action.cancel")}</button><button className="primary" disabled={refused || storing || !name.trim()}>{t("extract.begin")}</button></>}
    >
      {refused ? (
        <div role="alert">
          <p>{t("extract.refused")}</p>
          <ul className="refusals">{found.map((each) => <li key={JSON.stringify(each)}>{reason(each)}</li>)}</ul>
        </div>
      ) : (
        <>
          <p className="soft">{t("extract.text")}</p>
          <div className="field">
            <label htmlFor="extract-name">{t("workflows.name")}</label>
            <input id="extract-name" autoFocus value={name} onFocus={(event) => event.target.select()} onChange={(event) => setName(event.target.value)} />
          </div>
        </>
      )}
    </Dialog>
  );
}

const reason = ({ code, node, other, port }: Refusal): string => t(`extract.${code}`, { node, other, port });

/** What a source like `$('A').item.json.x` gave in the run that is shown, else what is pinned; undefined where that is unknown. */
function valueOf(source: string, graph: Graph, data: ExecutionData | undefined): unknown {
  const [reference] = referencesIn(source);
  if (!reference) return undefined;
  const rest = source.slice(reference.end);
  if (rest === ".all()") return [];
  const item = data?.node_data?.[reference.name]?.[0]?.outputs?.flat()[0] ?? graph.pins[reference.name]?.[0];
  const path = [...rest.replace(/^\.(?:item|first\(\)|last\(\))\.json/, "").matchAll(/\.([\w$]+)|\[["']?([^\]"']+)["']?\]/g)].map((match) => match[1] ?? match[2] ?? "");
  return path.reduce<unknown>((held, part) => (typeof held === "object" && held !== null ? (held as Record<string, unknown>)[part] : undefined), item?.json);
}

/** A value's type, as inputs of workflows name it. */
function typeOf(value: unknown): string {
  if (value === undefined || value === null) return "any";
  if (Array.isArray(value)) return "array";
  return ["string", "number", "boolean", "object"].find((type) => typeof value === type) ?? "any";
}
