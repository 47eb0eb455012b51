import { useQuery } from "@tanstack/react-query";
import { Pencil } from "lucide-react";
import { useState } from "react";
import { api } from "../api/api";
import { CredentialDialog } from "../credentials/CredentialDialog";
import { useTypeName } from "../credentials/types";
import { useEditor, useEditorStore } from "../editor/store";
import { usePlace } from "../forms/context";
import { CurlImport } from "../forms/CurlImport";
import { groupOf, type NodeDefinition } from "../forms/definition";
import { ParameterForm } from "../forms/ParameterForm";
import { changeNode, type NodeChange } from "../graph/commands";
import type { GraphNode, OnError } from "../graph/document";
import { credentialsOf } from "../graph/ports";
import { t } from "../i18n";
import { Loading } from "../ui/states";

/** How a node is set: its parameters, and the settings that every node has. */
export function Parameters({ node, definition }: { node: GraphNode; definition: NodeDefinition | null | undefined }) {
  const store = useEditorStore();
  const { readOnly } = usePlace();
  const [tab, setTab] = useState<"parameters" | "settings">("parameters");
  const error = useEditor((state) => state.run?.nodes[node.name]?.error);
  const issues = useEditor((state) => state.workflow?.issues)?.filter((issue) => issue.node === node.name) ?? [];
  const change = (part: NodeChange, tag: string) => store.getState().change(changeNode(node.id, part), `${node.id} ${tag}`);
  const group = definition ? groupOf(definition, node.typeVersion) : undefined;
  return (
    <>
      <div className="pane-head">
        <div className="segments" role="group" aria-label={t("node.part")}>
          <button aria-pressed={tab === "parameters"} onClick={() => setTab("parameters")}>{t("node.parameters")}</button>
          <button aria-pressed={tab === "settings"} onClick={() => setTab("settings")}>{t("node.settings")}</button>
        </div>
      </div>
      <div className="form-body">
        {error && <p className="notice" role="alert">{error.message}</p>}
        {!error && issues.map((issue) => <p key={issue.message} className="notice">{issue.message}</p>)}
        {tab === "settings" ? <NodeSettings node={node} onChange={change} />
          : definition === undefined ? <Loading lines={4} />
          : definition === null ? <Unknown node={node} onChange={change} />
          : (
            <>
              {definition.trigger === "webhook" && <Addresses node={node} />}
              {definition.type === "httpRequest" && node.typeVersion >= 3 && !readOnly && <CurlImport onImport={(parameters) => change({ parameters }, "curl")} />}
              <CredentialFields node={node} definition={definition} onChange={change} />
              {group?.properties?.length ? <ParameterForm properties={group.properties} values={node.parameters} onChange={(parameters) => change({ parameters }, "parameters")} />
                : <p className="soft">{t("node.nothingToSet")}</p>}
            </>
          )}
      </div>
    </>
  );
}

interface PartProps {
  node: GraphNode;
  onChange: (part: NodeChange, tag: string) => void;
}

/** A type that isn't installed: its parameters as they are. */
function Unknown({ node }: PartProps) {
  return (
    <>
      <p className="notice">{t("node.unknown", { type: node.type })}</p>
      <pre className="code">{JSON.stringify(node.parameters, null, 2)}</pre>
    </>
  );
}

/** The addresses that call this webhook: one for tests, one once it is published. */
function Addresses({ node }: { node: GraphNode }) {
  const path = typeof node.parameters.path === "string" && node.parameters.path ? node.parameters.path : (node.webhookId ?? node.id);
  return (
    <div className="addresses">
      {(["webhook-test", "webhook"] as const).map((kind) => (
        <div className="field" key={kind}>
          <span className="label">{t(`node.${kind}`)}</span>
          <code>{`${location.origin}/${kind}/${path.replace(/^\//, "")}`}</code>
        </div>
      ))}
    </div>
  );
}

function CredentialFields({ node, definition, onChange }: PartProps & { definition: NodeDefinition }) {
  const uses = credentialsOf(node, definition);
  return uses.map((use) => <CredentialField key={use.type} type={use.type} required={use.required} node={node} onChange={onChange} />);
}

function CredentialField({ type, required, node, onChange }: PartProps & { type: string; required: boolean }) {
  const { readOnly } = usePlace();
  const [open, setOpen] = useState<"new" | "edit" | null>(null);
  const typeName = useTypeName();
  const found = useQuery({ queryKey: ["credentials", type], queryFn: () => api.credentials(type) });
  const rows = (found.data?.rows ?? []).filter((row) => row.type === type);
  const chosen = node.credentials?.[type];
  const held = rows.find((row) => row.id === chosen?.id);
  const set = (id: string, name: string) => onChange({ credentials: { ...node.credentials, [type]: { id, name } } }, "credentials");
  const choose = (value: string) => {
    if (value === "new") setOpen("new");
    else set(value, rows.find((row) => row.id === value)?.name ?? "");
  };
  return (
    <div className="field">
      <label htmlFor={`credential-${type}`}>{t("node.credential")} · {typeName(type)}{required && <span className="must" aria-hidden="true"> *</span>}</label>
      <div className="row">
        <select id={`credential-${type}`} className="grow" disabled={readOnly} value={held?.id ?? ""} onChange={(event) => choose(event.target.value)}>
          <option value="">{chosen ? t("node.credentialGone", { name: chosen.name }) : t("form.choose")}</option>
          {rows.map((row) => <option key={row.id} value={row.id}>{row.name}</option>)}
          <option value="new">{t("credentials.createOne")}</option>
        </select>
        {held && !readOnly && <button type="button" className="icon" aria-label={t("credentials.edit", { name: held.name })} onClick={() => setOpen("edit")}><Pencil size={16} /></button>}
      </div>
      {open === "new" && <CredentialDialog type={type} onClose={() => setOpen(null)} onSaved={(made) => set(made.id, made.name)} />}
      {open === "edit" && held && <CredentialDialog credential={held} onClose={() => setOpen(null)} onSaved={(made) => set(made.id, made.name)} />}
    </div>
  );
}

const ON_ERROR: OnError[] = ["stopWorkflow", "continueRegularOutput", "continueErrorOutput"];
const FLAGS = ["alwaysOutputData", "executeOnce", "retryOnFail"] as const;

/** What every node has: errors, tries, notes. */
function NodeSettings({ node, onChange }: PartProps) {
  const { readOnly } = usePlace();
  const onError = node.onError ?? (node.continueOnFail ? "continueRegularOutput" : "stopWorkflow");
  return (
    <div className="parameters">
      <div className="field">
        <label htmlFor="on-error">{t("node.onError")}</label>
        <select id="on-error" value={onError} disabled={readOnly} onChange={(event) => onChange({ onError: event.target.value as OnError }, "onError")}>
          {ON_ERROR.map((each) => <option key={each} value={each}>{t(`node.${each}`)}</option>)}
        </select>
      </div>
      {FLAGS.map((flag) => (
        <label className="row" key={flag}>
          <input type="checkbox" className="switch" disabled={readOnly} checked={node[flag] ?? false} onChange={(event) => onChange({ [flag]: event.target.checked }, flag)} />
          <span>{t(`node.${flag}`)}</span>
        </label>
      ))}
      {node.retryOnFail && (
        <div className="pair">
          <div className="field"><label htmlFor="tries">{t("node.tries")}</label><input id="tries" type="number" min={2} max={5} disabled={readOnly} value={node.maxTries ?? 3} onChange={(event) => onChange({ maxTries: Number(event.target.value) }, "tries")} /></div>
          <div className="field"><label htmlFor="pause">{t("node.pause")}</label><input id="pause" type="number" min={0} max={5000} disabled={readOnly} value={node.waitBetweenTries ?? 1000} onChange={(event) => onChange({ waitBetweenTries: Number(event.target.value) }, "pause")} /></div>
        </div>
      )}
      <div className="field">
        <label htmlFor="notes">{t("node.notes")}</label>
        <textarea id="notes" rows={4} disabled={readOnly} value={node.notes ?? ""} onChange={(event) => onChange({ notes: event.target.value }, "notes")} />
      </div>
    </div>
  );
}
