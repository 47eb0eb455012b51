import { Link2, Unlink2 } from "lucide-react";
import { useMemo, useState } from "react";
import { connect, disconnect } from "../graph/commands";
import { type Edge, edgeId, STICKY_NOTE } from "../graph/document";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { portsFor } from "./definitions";
import { useEditor, useEditorStore } from "./store";

const MOST = 40;

/** Connects an output of a node with the input of another, or takes a connection away: what the mouse does by drawing. */
export function ConnectDialog({ id }: { id: string }) {
  const store = useEditorStore();
  const graph = useEditor((state) => state.history.graph);
  const definitions = useEditor((state) => state.definitions);
  const [output, setOutput] = useState(0);
  const [search, setSearch] = useState("");
  const from = graph.nodes[id];
  const outputs = from ? portsFor(from, definitions[from.type]).outputs : [];
  const close = () => store.setState({ connecting: null });
  const targets = useMemo(() => {
    const text = search.trim().toLowerCase();
    return Object.values(graph.nodes).flatMap((node) => {
      if (node.id === id || node.type === STICKY_NOTE || !node.name.toLowerCase().includes(text)) return [];
      const { inputs } = portsFor(node, definitions[node.type]);
      return inputs.map((label, input) => ({ node, input, label: inputs.length > 1 ? `${node.name} · ${label || t("connect.input", { number: input + 1 })}` : node.name }));
    }).slice(0, MOST);
  }, [graph, definitions, id, search]);
  const toggle = (edge: Edge, there: boolean) => {
    store.getState().change(there ? disconnect([edgeId(edge)]) : connect(edge));
    close();
  };
  const edgeTo = ({ node, input }: (typeof targets)[number]): Edge => ({ from: id, output, to: node.id, input, kind: "main" });
  const isThere = (edge: Edge) => graph.edges.some((each) => edgeId(each) === edgeId(edge));
  const takeFirst = () => {
    const edge = targets[0] && edgeTo(targets[0]);
    if (edge) toggle(edge, isThere(edge));
  };
  return (
    <Dialog title={t("connect.title", { name: from?.name ?? "" })} onClose={close} onSubmit={takeFirst}>
      {outputs.length > 1 && (
        <div className="field">
          <label htmlFor="connect-output">{t("connect.output")}</label>
          <select id="connect-output" value={output} onChange={(event) => setOutput(Number(event.target.value))}>
            {outputs.map((label, index) => <option key={index} value={index}>{label === "error" ? t("editor.errorOutput") : label || t("connect.numbered", { number: index + 1 })}</option>)}
          </select>
        </div>
      )}
      <div className="field">
        <label htmlFor="connect-search">{t("connect.search")}</label>
        <input id="connect-search" type="search" value={search} onChange={(event) => setSearch(event.target.value)} />
      </div>
      <ul className="targets">
        {targets.map((target) => {
          const edge = edgeTo(target);
          const there = isThere(edge);
          return (
            <li key={edgeId(edge)}>
              <button type="button" className="quiet" onClick={() => toggle(edge, there)}>
                {there ? <Unlink2 size={15} /> : <Link2 size={15} />}
                {t(there ? "connect.remove" : "connect.to", { name: target.label })}
              </button>
            </li>
          );
        })}
      </ul>
      {targets.length === 0 && <p className="soft">{t("state.noMatch")}</p>}
    </Dialog>
  );
}
