import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/api";
import type { Credential } from "../api/types";
import { ParameterForm, type Values } from "../forms/ParameterForm";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { Loading } from "../ui/states";

interface CredentialDialogProps {
  type?: string;
  credential?: Credential;
  onClose: () => void;
  onSaved?: (credential: Credential) => void;
}

/** Creates a credential, or replaces the secrets of one. Stored secrets are never shown. */
export function CredentialDialog({ type: given, credential, onClose, onSaved }: CredentialDialogProps) {
  const [type, setType] = useState(given ?? credential?.type ?? "");
  const [name, setName] = useState(credential?.name ?? "");
  const [data, setData] = useState<Values>({});
  const queries = useQueryClient();
  const types = useQuery({ queryKey: ["credential types"], queryFn: api.credentialTypes, staleTime: Infinity });
  const definition = types.data?.find((each) => each.type === type);
  const save = useMutation({
    mutationFn: () =>
      credential
        ? api.updateCredential(credential.id, { name, ...(Object.keys(data).length > 0 && { data }) })
        : api.createCredential({ name: name || (definition?.display_name ?? type), type, data }),
    onSuccess: async (saved) => {
      await queries.invalidateQueries({ queryKey: ["credentials"] });
      onSaved?.(saved);
      onClose();
    },
  });
  const problem = save.error ?? types.error;
  return (
    <Dialog
      title={credential ? credential.name : t("credentials.create")}
      onClose={onClose}
      onSubmit={() => save.mutate()}
      footer={<><button type="button" onClick={onClose}>{t("action.cancel")}</button><button className="primary" disabled={!type || save.isPending}>{t("action.save")}</button></>}
    >
      <div className="field">
        <label htmlFor="credential-type">{t("credentials.type")}</label>
        <select id="credential-type" value={type} disabled={credential !== undefined || given !== undefined} onChange={(event) => { setType(event.target.value); setData({}); }}>
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
      {credential && <p className="soft">{t("credentials.replace")}</p>}
      {types.isPending && type ? <Loading lines={3} /> : definition && <ParameterForm prefix="credential." properties={definition.fields} values={data} onChange={setData} />}
      {problem && <p className="notice" role="alert">{problem.message}</p>}
    </Dialog>
  );
}
