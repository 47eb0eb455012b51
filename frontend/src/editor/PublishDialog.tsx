import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/api";
import { compare, isSame } from "../graph/diff";
import { writeDocument } from "../graph/document";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { Loading } from "../ui/states";
import { say } from "../ui/toast";
import { Differences } from "./Differences";
import { save } from "./saving";
import { useEditor, useEditorStore } from "./store";

/** Shows what publishing changes, and publishes. */
export function PublishDialog({ onClose }: { onClose: () => void }) {
  const store = useEditorStore();
  const queries = useQueryClient();
  const workflow = useEditor((state) => state.workflow);
  const graph = useEditor((state) => state.history.graph);
  const id = workflow?.id ?? "";
  const number = workflow?.is_active ? workflow.published_version : 0;
  const published = useQuery({ queryKey: ["version", id, number], queryFn: () => api.version(id, number), enabled: number > 0 });
  const difference = published.data?.document ? compare(published.data.document, writeDocument(graph)) : null;
  const publish = useMutation({
    mutationFn: async () => {
      if (!(await save(store))) throw new Error(t("editor.notSaved"));
      return api.activate(id);
    },
    onSuccess: async (made) => {
      const known = store.getState().workflow;
      if (known) store.setState({ workflow: { ...known, ...made } });
      await queries.invalidateQueries({ queryKey: ["workflows"] });
      say(t("workflows.nowPublished", { version: made.published_version }));
      onClose();
    },
  });
  const unchanged = difference !== null && isSame(difference);
  return (
    <Dialog
      title={t("publish.title")}
      onClose={onClose}
      footer={<><button onClick={onClose}>{t("action.cancel")}</button><button className="primary" disabled={publish.isPending || unchanged} onClick={() => publish.mutate()}>{t("workflows.publish")}</button></>}
    >
      {number === 0 ? <p>{t("publish.first")}</p> : (
        <>
          <p>{t(unchanged ? "publish.same" : "publish.changes", { version: number })}</p>
          {published.isPending ? <Loading lines={3} /> : difference && !unchanged && <Differences difference={difference} />}
        </>
      )}
      {(publish.error ?? published.error) && <p className="notice" role="alert">{(publish.error ?? published.error)?.message}</p>}
    </Dialog>
  );
}
