import { useQueryClient } from "@tanstack/react-query";
import { Braces, House, KeyRound, ListChecks, LogOut, Settings, Workflow } from "lucide-react";
import type { ReactNode } from "react";
import { NavLink, useNavigate } from "react-router";
import { api } from "../api/api";
import type { Me } from "../api/types";
import { type Key, t } from "../i18n";
import { Menu } from "../ui/Menu";
import { Brand } from "./Brand";

const PAGES: [string, Key, typeof House][] = [
  ["/", "page.overview", House],
  ["/workflows", "page.workflows", Workflow],
  ["/executions", "page.executions", ListChecks],
  ["/credentials", "page.credentials", KeyRound],
  ["/variables", "page.variables", Braces],
  ["/settings", "page.settings", Settings],
];

/** The frame around every page but the canvas. */
export function Frame({ me, children }: { me: Me; children: ReactNode }) {
  return (
    <div className="frame">
      <div className="side">
        <Brand />
        <nav aria-label={t("shell.pages")}>
          {PAGES.map(([path, key, Icon]) => (
            <NavLink key={path} to={path} end={path === "/"} aria-label={t(key)}>
              <Icon size={18} strokeWidth={1.9} />
              <span>{t(key)}</span>
            </NavLink>
          ))}
        </nav>
        <div className="foot">
          <Person me={me} />
        </div>
      </div>
      <main className="page">{children}</main>
    </div>
  );
}

function Person({ me }: { me: Me }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    await api.logout();
    queries.clear();
    location.assign("/");
  };
  const name = `${me.first_name} ${me.last_name}`.trim() || me.email;
  const initials = name.split(/\s+/).map((part) => part[0]).join("").slice(0, 2).toUpperCase();
  return (
    <Menu
      align="start"
      trigger={
        <button className="person" aria-label={t("shell.account")}>
          <span className="face">{initials}</span>
          <span className="grow cut">
            {name}
            {name !== me.email && <small className="cut">{me.email}</small>}
          </span>
        </button>
      }
      entries={[
        { label: t("page.settings"), icon: <Settings size={16} />, onSelect: () => void navigate("/settings") },
        null,
        { label: t("auth.leave"), icon: <LogOut size={16} />, onSelect: () => void leave() },
      ]}
    />
  );
}
