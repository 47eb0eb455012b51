import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Navigate, Outlet, Route, Routes } from "react-router";
import { api } from "../api/api";
import type { Me } from "../api/types";
import { Credentials } from "../credentials/Credentials";
import { Executions } from "../executions/Executions";
import { t } from "../i18n";
import { Overview } from "../pages/Overview";
import { SignIn } from "../pages/SignIn";
import { Tags } from "../pages/Tags";
import { Variables } from "../pages/Variables";
import { Workflows } from "../pages/Workflows";
import { Account } from "../settings/Account";
import { ApiKeys } from "../settings/ApiKeys";
import { Settings } from "../settings/Settings";
import { Toasts } from "../ui/toast";
import { Frame } from "./Frame";

const Editor = lazy(() => import("../editor/EditorPage"));
const Execution = lazy(() => import("../executions/ExecutionPage"));

/** Decides between the gate (nobody is signed in) and the pages. The canvas loads when it is opened. */
export function App() {
  const me = useQuery({ queryKey: ["me"], queryFn: api.me, retry: false, staleTime: Infinity });
  if (me.isPending) return <div className="opening" role="status">{t("state.loading")}</div>;
  return (
    <>
      {me.data ? <Pages me={me.data} /> : <SignIn />}
      <Toasts />
    </>
  );
}

function Pages({ me }: { me: Me }) {
  const projects = me.projects.map((project) => project.id);
  return (
    <Suspense fallback={<div className="opening" role="status">{t("state.loading")}</div>}>
      <Routes>
        <Route path="/workflows/:id" element={<Editor />} />
        <Route path="/executions/:id" element={<Execution />} />
        <Route element={<Frame me={me}><Outlet /></Frame>}>
          <Route path="/" element={<Overview me={me} />} />
          <Route path="/workflows" element={<Workflows />} />
          <Route path="/tags" element={<Tags />} />
          <Route path="/executions" element={<Executions projects={projects} />} />
          <Route path="/credentials" element={<Credentials />} />
          <Route path="/variables" element={<Variables />} />
          <Route path="/settings" element={<Settings />}>
            <Route index element={<Account me={me} />} />
            <Route path="api-keys" element={<ApiKeys />} />
          </Route>
          <Route path="*" element={<Navigate to="/" replace />} />
        </Route>
      </Routes>
    </Suspense>
  );
}
