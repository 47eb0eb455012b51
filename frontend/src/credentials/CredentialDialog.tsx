import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/api";
import { ApiError } from "../api/client";
import type { Credential, OpenCredential } from "../api/types";
import { FormContext } from "../forms/context";
import { ParameterForm, type Values } from "../forms/ParameterForm";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { Failed, Loading } from "../ui/states";
import { Connection } from "./Connection";
import { changesOf, defaultsOf } from "./fields";
import { useCredentialTypes } from "./types";

interface CredentialDialogProps {
  type?: string;
  credential?: Credential;
  onClose: () => void;
  onSaved?: (credential: Credential) => void;
}

/** Creates a credential, or changes one; tries it, and connects it where the service asks for consent. */
export function CredentialDialog({ credential, ...rest }: CredentialDialogProps) {
  const id = credential?.id ?? "";
  const found = useQuery({ queryKey: ["edited credential", id], queryFn: () => api.credential(id), enabled: id !== "", gcTime: 0, staleTime: Infinity });
  if (!credential) return <Form {...rest} />;
  if (found.data) return <Form {...rest} edited={found.data} />;
  return (
    <Dialog title={credential.name} onClose={rest.onClose}>
      {found.isError ? <Failed error={found.error} onRetry={() => void found.refetch()} /> : <Loading lines={3} />}
    </Dialog>
  );
}

/** Secrets that have to be given again, because the credential would go to another place. */
const namesAsked = (problem: Error | null): string[] =>
  problem instanceof ApiError && problem.details.reason === "SECRETS_REQUIRED" ? (problem.details.secret_fields as string[]) : [];

/** Stored secrets are not shown: they stay as they are where nothing is put in their place. */
function Form({ type: given, edited, onClose, onSaved }: Omit<CredentialDialogProps, "credential"> & { edited?: OpenCredential }) {
  const [credential, setCredential] = useState<Credential | undefined>(edited);
  const [type, setType] = useState(given ?? edited?.type ?? "");
  const [name, setName] = useState(edited?.name ?? "");
  const [data, setData] = useState<Values>(edited?.data ?? {});
  const [stored, setStored] = useState<Values>(data);
  const queries = useQueryClient();
  const types = useCredentialTypes();
  const definition = types.data?.find((each) => each.type === type);
  const changes = changesOf(stored, data);
  const changed = Object.keys(changes).length > 0;
  const save = useMutation({
    mutationFn: () =>
      credential
        ? api.updateCredential(credential.id, { name, ...(changed && { data: changes }) })
        : api.createCredential({ name: name || (definition?.display_name ?? type), type, data }),
    onSuccess: async (saved) => {
      setCredential(saved);
      setName(saved.name);
      setStored(data);
      await queries.invalidateQueries({ queryKey: ["credentials"] });
      onSaved?.(saved);
    },
  });
  const test = useMutation({
    mutationFn: () => (credential ? api.testCredential(credential.id, changes) : api.testUnsaved({ type, data })),
  });
  const change = (values: Values) => {
    setData(values);
    test.reset();
  };
  const asksConsent = definition?.sign_in !== undefined && { ...defaultsOf(definition.fields), ...data }.grantType !== "clientCredentials";
  const problem = save.error ?? test.error ?? types.error;
  const again = namesAsked(problem);
  const kept = new Set(edited?.secret_fields.filter((name) => !again.includes(name)));
  const label = (name: string) => definition?.fields.find((field) => field.name === name)?.display_name ?? name;
  return (
    <Dialog
      title={edited ? edited.name : t("credentials.create")}
      onClose={onClose}
      onSubmit={() => save.mutate(undefined, { onSuccess: onClose })}
      footer={
        <>
          {test.data && <p className={`notice ${test.data.ok ? "good" : test.data.tested ? "" : "info"}`} role={test.data.ok || !test.data.tested ? "status" : "alert"}>{test.data.message}</p>}
          {problem && <p className="notice" role="alert">{again.length > 0 ? t("credentials.secretsRequired", { fields: again.map(label).join(", ") }) : problem.message}</p>}
          <button type="button" className="start" disabled={!definition} aria-disabled={test.isPending} onClick={() => !test.isPending && test.mutate()}>{test.isPending ? t("credentials.testing") : t("credentials.test")}</button>
          <button type="button" onClick={onClose}>{t("action.cancel")}</button>
          <button className="primary" disabled={!type || save.isPending}>{t("action.save")}</button>
        </>
      }
    >
      <div className="field">
        <label htmlFor="credential-type">{t("credentials.type")}</label>
        <select id="credential-type" value={type} disabled={credential !== undefined || given !== undefined} onChange={(event) => { setType(event.target.value); change({}); }}>
          <option value="">{t("form.choose")}</option>
          {type && !definition && <option value={type}>{type}</option>}
          {types.data?.map((each) => <option key={each.type} value={each.type}>{each.display_name}</option>)}
        </select>
        {definition && <span className="hint">{definition.description}</span>}
      </div>
      <div className="field">
        <label htmlFor="credential-name">{t("credentials.name")}</label>
        <input id="credential-name" value={name} placeholder={definition?.display_name} onChange={(event) => setName(event.target.value)} />
      </div>
      <FormContext value={{ version: 1, kept }}>
        {types.isPending && type ? <Loading lines={3} /> : definition && <ParameterForm prefix="credential." properties={definition.fields} values={data} onChange={change} />}
      </FormContext>
      {definition && asksConsent && (
        <Connection callback={definition.callback_url ?? ""} credential={credential} changed={changed} onSave={() => save.mutateAsync()} />
      )}
    </Dialog>
  );
}
