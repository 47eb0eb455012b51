import { NavLink, Outlet } from "react-router";
import { t } from "../i18n";

export function Settings() {
  return (
    <>
      <div className="head"><div className="title"><h1>{t("page.settings")}</h1></div></div>
      <nav className="tabs" aria-label={t("page.settings")}>
        <NavLink to="/settings" end>{t("settings.account")}</NavLink>
        <NavLink to="/settings/api-keys">{t("settings.apiKeys")}</NavLink>
      </nav>
      <Outlet />
    </>
  );
}
