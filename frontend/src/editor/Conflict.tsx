import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/api";
import { compare, isSame } from "../graph/diff";
import { writeDocument } from "../graph/document";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { Failed, Loading } from "../ui/states";
import { say } from "../ui/toast";
import { Differences } from "./Differences";
import { reload, saveOver } from "./saving";
import { useEditor, useEditorStore } from "./store";

/** Someone else has changed the draft since it was read. Nothing is saved before the user has compared and chosen. */
export function Conflict() {
  const conflict = useEditor((state) => state.saving === "conflict");
  const [comparing, setComparing] = useState(false);
  if (!conflict) return null;
  return (
    <>
      <div className="conflict" role="alert">
        <p>{t("editor.conflict")}</p>
        <button className="small primary" onClick={() => setComparing(true)}>{t("editor.compare")}</button>
      </div>
      {comparing && <Comparison onClose={() => setComparing(false)} />}
    </>
  );
}

function Comparison({ onClose }: { onClose: () => void }) {
  const store = useEditorStore();
  const id = useEditor((state) => state.workflow?.id ?? "");
  const graph = useEditor((state) => state.history.graph);
  const [working, setWorking] = useState(false);
  const theirs = useQuery({ queryKey: ["conflict", id], queryFn: () => api.workflow(id), staleTime: 0, gcTime: 0 });
  const difference = theirs.data && compare(theirs.data, writeDocument(graph));
  const renamed = theirs.data !== undefined && theirs.data.name !== graph.name;
  const takeTheirs = async () => {
    setWorking(true);
    await reload(store);
    say(t("editor.tookTheirs"));
    onClose();
  };
  const keepMine = async () => {
    if (!theirs.data) return;
    setWorking(true);
    if (await saveOver(store, theirs.data)) onClose();
    else await theirs.refetch(); // they have gone on: the user sees what they have now
    setWorking(false);
  };
  return (
    <Dialog
      title={t("editor.compareTitle")}
      onClose={onClose}
      footer={
        <>
          <button disabled={working || !theirs.data} onClick={() => void takeTheirs()}>{t("editor.takeTheirs")}</button>
          <button className="primary" disabled={working || !theirs.data} onClick={() => void keepMine()}>{t("editor.keepMine")}</button>
        </>
      }
    >
      <p className="soft">{t("editor.compareText")}</p>
      {renamed && <p>{t("editor.compareName", { mine: graph.name, theirs: theirs.data.name })}</p>}
      {difference ? !(renamed && isSame(difference)) && <Differences difference={difference} /> : theirs.isError ? <Failed error={theirs.error} onRetry={() => void theirs.refetch()} /> : <Loading lines={3} />}
      <p className="soft">{t("editor.compareKept")}</p>
    </Dialog>
  );
}
