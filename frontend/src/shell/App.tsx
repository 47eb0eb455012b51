import { useQuery, useQueryClient } from "@tanstack/react-query";
import { NavLink, Navigate, Route, Routes } from "react-router";
import { api } from "../api/client";
import type { Me } from "../api/types";
import { Executions } from "../pages/Executions";
import { SignIn } from "../pages/SignIn";
import { Workflows } from "../pages/Workflows";
import { Brand } from "./Brand";

/** Decides between the gate (nobody is signed in) and the frame with its pages. */
export function App() {
  const me = useQuery({ queryKey: ["me"], queryFn: api.me, retry: false, staleTime: Infinity });
  if (me.isPending) return <div className="gate soft">Opening Weft…</div>;
  if (!me.data) return <SignIn />;
  return <Frame me={me.data} />;
}

function Frame({ me }: { me: Me }) {
  const queries = useQueryClient();
  const leave = async () => {
    await api.logout();
    queries.clear();
    await queries.invalidateQueries({ queryKey: ["me"] });
    location.assign("/");
  };
  return (
    <div className="frame">
      <div className="side">
        <Brand />
        <nav aria-label="Pages">
          <NavLink to="/workflows">Workflows</NavLink>
          <NavLink to="/executions">Executions</NavLink>
        </nav>
        <footer>
          <span>{me.email}</span>
          <button className="quiet" onClick={() => void leave()}>
            Sign out
          </button>
        </footer>
      </div>
      <main>
        <Routes>
          <Route path="/workflows" element={<Workflows />} />
          <Route path="/executions" element={<Executions projects={me.projects.map((project) => project.id)} />} />
          <Route path="*" element={<Navigate to="/workflows" replace />} />
        </Routes>
      </main>
    </div>
  );
}
