import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/api";
import type { StoredWorkflow } from "../api/types";
import { compare } from "../graph/diff";
import { writeDocument } from "../graph/document";
import { t } from "../i18n";
import { ago, when } from "../shell/format";
import { Dialog } from "../ui/Dialog";
import { Failed, Loading } from "../ui/states";
import { say, sayError } from "../ui/toast";
import { Differences } from "./Differences";
import { reload, save } from "./saving";
import { useEditor, useEditorStore } from "./store";

/** Immutable versions, newest first: what differs from the draft, and the way back. */
export function VersionsDialog({ workflow, onClose }: { workflow: StoredWorkflow; onClose: () => void }) {
  const store = useEditorStore();
  const queries = useQueryClient();
  const graph = useEditor((state) => state.history.graph);
  const [chosen, setChosen] = useState(0);
  const found = useQuery({ queryKey: ["versions", workflow.id], queryFn: () => api.versions(workflow.id), staleTime: 0 });
  const version = useQuery({ queryKey: ["version", workflow.id, chosen], queryFn: () => api.version(workflow.id, chosen), enabled: chosen > 0 });
  const restore = useMutation({
    mutationFn: async () => {
      await save(store);
      await api.restoreVersion(workflow.id, chosen);
      await reload(store);
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["versions", workflow.id] });
      say(t("versions.restored", { version: chosen }));
      onClose();
    },
    onError: sayError,
  });
  return (
    <Dialog
      wide
      title={t("versions.title")}
      onClose={onClose}
      footer={<button className="primary" disabled={chosen === 0 || restore.isPending} onClick={() => restore.mutate()}>{t("versions.restore")}</button>}
    >
      {found.isError ? <Failed error={found.error} /> : found.isPending ? <Loading /> : (
        <div className="versions">
          <ul>
            {found.data.map((each) => (
              <li key={each.id}>
                <button aria-pressed={chosen === each.version} onClick={() => setChosen(each.version)}>
                  <b>{t("versions.number", { version: each.version })}</b>
                  {each.version === workflow.published_version && workflow.is_active && <span className="status success">{t("workflows.published")}</span>}
                  <span className="soft" title={when(each.created_at)}>{ago(each.created_at)}</span>
                </button>
              </li>
            ))}
          </ul>
          <div>
            {chosen === 0 ? <p className="soft">{t("versions.choose")}</p>
              : version.data?.document ? <><p className="soft">{t("versions.differs")}</p><Differences difference={compare(writeDocument(graph), version.data.document)} /></>
              : <Loading lines={3} />}
          </div>
        </div>
      )}
    </Dialog>
  );
}
