import { FastForward, Pencil, Pin, PinOff, Play, Radio, StepForward, X } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { api } from "../api/api";
import type { ExecutionData, Source } from "../api/types";
import { definitionQuery, portsFor } from "../editor/definitions";
import { NodeIcon } from "../editor/NodeIcon";
import { LISTENERS, run, runFrom, runNode, toggleListening, useRunData } from "../editor/running";
import { useEditor, useEditorStore } from "../editor/store";
import { FormContext, type FormPlace } from "../forms/context";
import { nodeSource, pathSource } from "../forms/expression";
import { previewOf } from "../forms/preview";
import { pin, renameNode } from "../graph/commands";
import type { Graph, GraphNode, Item } from "../graph/document";
import { t } from "../i18n";
import { Status } from "../ui/states";
import { useQuery } from "@tanstack/react-query";
import { before, itemsOf, originsOf, pathsOf, runsOf } from "./data";
import { DataPane } from "./DataPane";
import { Parameters } from "./Parameters";
import { PinEditor } from "./PinEditor";
import "./nodeview.css";

/** One node: what comes in, how it is set, what went out. */
export function NodeView({ id }: { id: string }) {
  const store = useEditorStore();
  const graph = useEditor((state) => state.history.graph);
  const dialog = useRef<HTMLDialogElement>(null);
  const data = useRunData();
  const node = graph.nodes[id];
  useEffect(() => dialog.current?.showModal(), []);
  if (!node) return null;
  const close = () => store.setState({ opened: null });
  return (
    <dialog ref={dialog} className="nodeview" aria-label={node.name} onClose={close} onClick={(event) => event.target === dialog.current && close()}>
      <Parts node={node} graph={graph} data={data} onClose={close} />
    </dialog>
  );
}

interface PartsProps {
  node: GraphNode;
  graph: Graph;
  data: ExecutionData | undefined;
  onClose: () => void;
}

function Parts({ node, graph, data, onClose }: PartsProps) {
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  const project = useEditor((state) => state.workflow?.project_id ?? "");
  const definition = useQuery(definitionQuery(node.type)).data;
  const earlier = useSame(before(graph, node.id));
  const direct = useSame(originsOf(graph, node.id));
  const runs = runsOf(data, node.name);
  const [chosenRun, setRun] = useState<number | null>(null);
  const runIndex = Math.min(chosenRun ?? runs.length - 1, runs.length - 1);
  const current = runs[runIndex];
  const fed = current?.source?.find((source) => source !== null);
  const origins = direct.length > 0 ? direct.map((origin) => origin.node) : [];
  const names = [...new Set([...origins, ...earlier])];
  const [wanted, setWanted] = useState<string | null>(null);
  const origin = wanted ?? fed?.[0] ?? names[0] ?? null;
  const output = fed && fed[0] === origin ? fed[1] : (direct.find((each) => each.node === origin)?.output ?? 0);
  const input = origin ? itemsOf(data, graph, origin, output, fed && fed[0] === origin ? fed[2] : Infinity) : null;
  const [item, setItem] = useState(0);
  const direct_ = origin !== null && (origins.includes(origin) || fed?.[0] === origin);
  const root = origin ? (direct_ ? "$json" : nodeSource(origin)) : undefined;

  const place = useMemo((): FormPlace => {
    const items: Item[] = input?.length ? input : [{ json: {} }];
    const seen = items[Math.min(item, items.length - 1)]?.json;
    const paths = pathsOf(seen).map((path) => pathSource(root ?? "$json", path));
    const others = earlier.map(nodeSource);
    return {
      version: node.typeVersion,
      readOnly,
      previews: Boolean(input?.length) || origin === null,
      completions: [...paths, ...others, "$json", "$input.all()", "$input.first()", "$now", "$today", "$vars", "$execution.id", "$workflow.name", "$itemIndex", "$runIndex"],
      inputFields: Object.keys(seen ?? {}),
      lookUp: (loader, search, cursor, signal) => {
        const now = store.getState().history.graph.nodes[node.id];
        if (!now) return Promise.reject(new Error(t("state.failed")));
        return api.options(now.type, { loader, search, cursor, version: now.typeVersion, parameters: now.parameters, credentials: now.credentials ?? {}, project_id: project }, signal);
      },
      dataKey: JSON.stringify([data?.id, data?.status, origin, item, node.name]),
      evaluate: (expression, signal) => {
        const sight = {
          items,
          chosen: Math.min(item, items.length - 1),
          source: origin ? ([origin, output, fed && fed[0] === origin ? fed[2] : Math.max(0, runsOf(data, origin).length - 1)] satisfies Source) : null,
          runsOf: (name: string) => (runsOf(data, name).length > 0 || !graph.pins[name] ? runsOf(data, name) : [{ outputs: [graph.pins[name]], source: [] }]),
        };
        return api.evaluate({ project_id: project, expression, ...previewOf(expression, sight) }, signal);
      },
    };
  }, [input, item, root, earlier, store, node.id, node.name, node.typeVersion, readOnly, data, origin, output, fed, graph.pins, project]);

  const pinned = graph.pins[node.name];
  const trigger = Boolean(definition?.trigger);
  const ports = portsFor(node, definition);
  return (
    <div className="nodeview-frame" tabIndex={-1} autoFocus>
      <header className="nodeview-head">
        <span className="tile"><NodeIcon type={node.type} name={node.name} /></span>
        <NameField node={node} />
        {definition && <span className="soft hide-small">{definition.display_name} · {t("node.version", { version: node.typeVersion })}</span>}
        <span className="grow" />
        {!readOnly && !trigger && <button aria-label={t("node.run")} onClick={() => void runNode(store, node.name, data)}><Play size={15} /><span className="hide-small">{t("node.run")}</span></button>}
        {!readOnly && <button aria-label={t("node.runTo")} onClick={() => void run(store, { destination_node: node.name })}><StepForward size={15} /><span className="hide-small">{t("node.runTo")}</span></button>}
        {!readOnly && !trigger && data && <button aria-label={t("node.runFrom")} title={t("node.runFromText")} onClick={() => void runFrom(store, node.name, data)}><FastForward size={15} /><span className="hide-small">{t("node.runFrom")}</span></button>}
        <button className="icon" aria-label={t("action.close")} onClick={onClose}><X size={19} /></button>
      </header>
      <div className="nodeview-body">
        <section className="pane in" aria-label={t("node.input")}>
          <div className="pane-head">
            <h2>{t("node.input")}</h2>
            {names.length > 0 && (
              <select aria-label={t("node.from")} value={origin ?? ""} onChange={(event) => { setWanted(event.target.value); setItem(0); }}>
                {names.map((name) => <option key={name}>{name}</option>)}
              </select>
            )}
          </div>
          {ports.inputs.length === 0 && trigger ? <Hint title={t("node.noInput")} text={t("node.noInputText")} />
            : input ? <DataPane label={t("node.input")} items={input} {...(root && !readOnly ? { root } : {})} chosen={Math.min(item, Math.max(0, input.length - 1))} onChoose={setItem} />
            : (
              <Hint title={t("node.noData")} text={t(readOnly ? "node.notReached" : "node.noDataText")}>
                {!readOnly && origin !== null && <button onClick={() => void run(store, { destination_node: origin })}><Play size={15} />{t("node.runBefore")}</button>}
              </Hint>
            )}
        </section>
        <section className="pane middle" aria-label={t("node.parameters")}>
          <FormContext value={place}><Parameters node={node} definition={definition} /></FormContext>
        </section>
        <section className="pane out" aria-label={t("node.output")}>
          <Output node={node} runs={runs} runIndex={runIndex} onRun={setRun} pinned={pinned} labels={ports.outputs} execution={data?.id} listens={LISTENERS.has(definition?.trigger ?? "")} />
        </section>
      </div>
    </div>
  );
}

/** The value of before while it says the same: what is made of it is not made again at each key. */
function useSame<T>(value: T): T {
  const text = JSON.stringify(value);
  return useMemo(() => JSON.parse(text) as T, [text]);
}

function NameField({ node }: { node: GraphNode }) {
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  return (
    <input
      key={node.name}
      className="title"
      aria-label={t("editor.name")}
      defaultValue={node.name}
      readOnly={readOnly}
      onBlur={(event) => store.getState().change(renameNode(node.id, event.target.value))}
      onKeyDown={(event) => { if (event.key === "Enter") event.currentTarget.blur(); }}
    />
  );
}

function Hint({ title, text, children }: { title: string; text: string; children?: ReactNode }) {
  return <div className="empty small"><strong>{title}</strong><p>{text}</p>{children}</div>;
}

/** Waits for a call of the node's test address, which runs the draft with it. */
function Listen() {
  const store = useEditorStore();
  const listening = useEditor((state) => state.listening);
  return (
    <>
      <button aria-pressed={listening} onClick={() => void toggleListening(store)}><Radio size={15} />{t(listening ? "run.stopListening" : "run.listen")}</button>
      <p className="soft" role="status">{listening && t("run.listening")}</p>
    </>
  );
}

interface OutputProps {
  node: GraphNode;
  runs: ReturnType<typeof runsOf>;
  runIndex: number;
  onRun: (index: number) => void;
  pinned: Item[] | undefined;
  labels: string[];
  execution: string | undefined;
  /** Calls start it: it can wait for one. */
  listens: boolean;
}

function Output({ node, runs, runIndex, onRun, pinned, labels, execution, listens }: OutputProps) {
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  const live = useEditor((state) => state.run?.nodes[node.name]);
  const current = runs[runIndex];
  const outputs = current?.outputs ?? [];
  const firstFull = Math.max(0, outputs.findIndex((items) => items.length > 0));
  const [wanted, setWanted] = useState<number | null>(null);
  const output = wanted ?? firstFull;
  const [item, setItem] = useState(0);
  const items = output === 0 && pinned ? pinned : outputs[output];
  const [editing, setEditing] = useState(false);
  const status = live?.status ?? current?.status;
  const keep = (kept: Item[]) => {
    store.getState().change(pin(node.name, kept));
    setEditing(false);
  };
  return (
    <>
      <div className="pane-head">
        <h2>{t("node.output")}</h2>
        {status && <Status value={status} />}
        <span className="grow" />
        {runs.length > 1 && (
          <select aria-label={t("node.runs")} value={runIndex} onChange={(event) => onRun(Number(event.target.value))}>
            {runs.map((_, index) => <option key={index} value={index}>{t("node.runOf", { number: index + 1, total: runs.length })}</option>)}
          </select>
        )}
        {!readOnly && !editing && output === 0 && <button className="small" onClick={() => setEditing(true)}><Pencil size={14} />{t("pin.edit")}</button>}
        {!readOnly && (pinned ? (
          <button className="small" aria-pressed="true" onClick={() => store.getState().change(pin(node.name, null))}><PinOff size={14} />{t("node.unpin")}</button>
        ) : (
          <button className="small" disabled={!items?.length} onClick={() => store.getState().change(pin(node.name, outputs[0]?.length ? outputs[0] : (items ?? [])))}><Pin size={14} />{t("node.pin")}</button>
        ))}
      </div>
      {outputs.length > 1 && (
        <div className="segments branches" role="group" aria-label={t("node.branch")}>
          {outputs.map((held, index) => <button key={index} type="button" aria-pressed={index === output} onClick={() => { setWanted(index); setItem(0); }}>{labels[index] || t("node.branchNumber", { number: index + 1 })} · {held.length}</button>)}
        </div>
      )}
      {pinned && <p className="notice info">{t("node.pinnedText")}</p>}
      {current?.error && (
        <div className="notice" role="alert">
          <strong>{current.error.message}</strong>
          {current.error.description && <p>{current.error.description}</p>}
          {current.error.parameter && <p>{t("node.failedParameter", { name: current.error.parameter_name || current.error.parameter })}</p>}
          {current.error.item_index !== null && current.error.item_index !== undefined && <p>{t("node.failedItem", { number: current.error.item_index })}</p>}
        </div>
      )}
      {current && current.logs.length > 0 && <pre className="logs">{current.logs.join("\n")}</pre>}
      {editing ? <PinEditor items={items ?? []} onSave={keep} onCancel={() => setEditing(false)} />
        : items ? <DataPane label={t("node.output")} items={items} chosen={Math.min(item, Math.max(0, items.length - 1))} onChoose={setItem} files={execution && items === outputs[output] ? { execution, node: node.name, run: runIndex, output } : undefined} />
        : !current?.error && (
          <Hint title={t("node.noOutput")} text={t(readOnly ? "node.notReached" : listens ? "node.listenText" : "node.noOutputText")}>
            {listens && !readOnly && <Listen />}
          </Hint>
        )}
    </>
  );
}

