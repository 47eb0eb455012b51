import { CircleStop, Play, Radio, X } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { api } from "../api/api";
import { named, t } from "../i18n";
import { Menu } from "../ui/Menu";
import { Status } from "../ui/states";
import { sayError } from "../ui/toast";
import { LISTENERS, run, toggleListening } from "./running";
import { useEditor, useEditorStore } from "./store";

/** Run, stop, listen; and what the run on the canvas has come to. */
export function RunBar() {
  const store = useEditorStore();
  const [starting, setStarting] = useState(false);
  const shown = useEditor((state) => state.run);
  const listening = useEditor((state) => state.listening);
  const triggers = useEditor((state) =>
    Object.values(state.history.graph.nodes)
      .filter((node) => !node.disabled && state.definitions[node.type]?.trigger)
      .map((node) => `${state.definitions[node.type]?.trigger ?? ""}\n${node.name}`)
      .join("\n\n"),
  );
  const starts = triggers ? triggers.split("\n\n").map((each) => each.split("\n") as [string, string]) : [];
  const any = useEditor((state) => Object.keys(state.history.graph.nodes).length > 0);
  const failed = useEditor((state) => Object.values(state.history.graph.nodes).find((node) => node.name === state.run?.error?.node)?.id);
  const running = shown !== null && ["queued", "running", "waiting"].includes(shown.status);
  const begin = async (start?: string) => {
    if (starting) return;
    setStarting(true);
    await run(store, start ? { start_node: start } : {});
    setStarting(false);
  };
  if (!any) return null;
  return (
    <div className="runbar" role="region" aria-label={t("run.region")}>
      {shown && (
        <span className="run-state" role="status">
          <Status value={shown.status} />
          {shown.error && (failed ? (
            <button className="quiet small cut" title={shown.error.message} onClick={() => store.setState({ opened: failed, selection: [failed] })}>{t("run.failedAt", { node: shown.error.node ?? "", message: shown.error.message })}</button>
          ) : <span className="soft cut" title={shown.error.message}>{shown.error.message}</span>)}
          {!running && <Link className="button quiet small" to={`/executions/${shown.id}`}>{t("run.details")}</Link>}
          {!running && <button className="icon small" aria-label={t("run.clear")} onClick={() => store.setState({ run: null })}><X size={16} /></button>}
        </span>
      )}
      {listening && <span className="run-state" role="status"><Radio size={16} className="breathing" />{t("run.listening")}</span>}
      {running ? (
        <button onClick={() => void api.stop(shown.id).catch(sayError)}><CircleStop size={17} />{t("action.stop")}</button>
      ) : starts.length > 1 ? (
        <Menu
          trigger={<button className="primary" aria-disabled={starting}><Play size={16} fill="currentColor" />{t("action.run")}</button>}
          entries={starts.map(([kind, name]) => ({ label: t("run.from", { name, kind: named(`trigger.${kind}`, kind) }), icon: <Play size={15} />, onSelect: () => void begin(name) }))}
        />
      ) : (
        <button className="primary" aria-disabled={starting} onClick={() => void begin()}><Play size={16} fill="currentColor" />{t("action.run")}</button>
      )}
      {starts.some(([kind]) => LISTENERS.has(kind)) && !running && (
        <button aria-pressed={listening} onClick={() => void toggleListening(store)}><Radio size={16} />{t(listening ? "run.stopListening" : "run.listen")}</button>
      )}
    </div>
  );
}
