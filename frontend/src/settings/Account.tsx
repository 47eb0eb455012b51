import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { api } from "../api/api";
import type { Me } from "../api/types";
import { choose, LANGUAGES, type Language, language, t } from "../i18n";
import { setTheme, theme, THEMES } from "../theme/theme";
import { say } from "../ui/toast";
import { Sessions, TwoFactor } from "./Security";

/** One's own name, look, password, second factor and sessions. */
export function Account({ me }: { me: Me }) {
  return (
    <div className="settings">
      <Profile me={me} />
      <Look />
      <Password />
      <TwoFactor />
      <Sessions />
    </div>
  );
}

function Profile({ me }: { me: Me }) {
  const [first, setFirst] = useState(me.first_name);
  const [last, setLast] = useState(me.last_name);
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () => api.updateMe({ first_name: first, last_name: last }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["me"] });
      say(t("state.saved"));
    },
  });
  const submit = (event: SubmitEvent) => { event.preventDefault(); save.mutate(); };
  return (
    <form className="card" onSubmit={submit}>
      <header><h2>{t("settings.profile")}</h2><span className="badge">{me.role}</span></header>
      <div className="body">
        <div className="pair">
          <div className="field"><label htmlFor="first">{t("auth.firstName")}</label><input id="first" value={first} onChange={(event) => setFirst(event.target.value)} /></div>
          <div className="field"><label htmlFor="last">{t("auth.lastName")}</label><input id="last" value={last} onChange={(event) => setLast(event.target.value)} /></div>
        </div>
        <div className="field"><label htmlFor="mail">{t("auth.email")}</label><input id="mail" value={me.email} disabled /></div>
        {save.isError && <p className="notice" role="alert">{save.error.message}</p>}
        <div><button className="primary" disabled={save.isPending}>{t("action.save")}</button></div>
      </div>
    </form>
  );
}

function Look() {
  const [chosen, setChosen] = useState(theme());
  return (
    <section className="card">
      <header><h2>{t("settings.look")}</h2></header>
      <div className="body">
        <div className="field">
          <span className="label" id="theme-label">{t("settings.theme")}</span>
          <div className="segments" role="group" aria-labelledby="theme-label" style={{ justifySelf: "start" }}>
            {THEMES.map((each) => (
              <button key={each} type="button" aria-pressed={chosen === each} onClick={() => { setTheme(each); setChosen(each); }}>{t(`settings.theme.${each}`)}</button>
            ))}
          </div>
        </div>
        <div className="field">
          <label htmlFor="language">{t("settings.language")}</label>
          <select id="language" value={language()} style={{ maxWidth: 240 }} onChange={(event) => choose(event.target.value as Language)}>
            {Object.entries(LANGUAGES).map(([code, name]) => <option key={code} value={code}>{name}</option>)}
          </select>
        </div>
      </div>
    </section>
  );
}

function Password() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const save = useMutation({
    mutationFn: () => api.changePassword({ current_password: current, new_password: next }),
    onSuccess: () => { setCurrent(""); setNext(""); say(t("settings.passwordChanged")); },
  });
  const submit = (event: SubmitEvent) => { event.preventDefault(); save.mutate(); };
  return (
    <form className="card" onSubmit={submit}>
      <header><h2>{t("settings.password")}</h2></header>
      <div className="body">
        <p className="soft">{t("settings.passwordText")}</p>
        <div className="pair">
          <div className="field"><label htmlFor="current">{t("settings.current")}</label><input id="current" type="password" autoComplete="current-password" value={current} onChange={(event) => setCurrent(event.target.value)} /></div>
          <div className="field"><label htmlFor="new">{t("settings.new")}</label><input id="new" type="password" autoComplete="new-password" value={next} onChange={(event) => setNext(event.target.value)} /></div>
        </div>
        {save.isError && <p className="notice" role="alert">{save.error.message}</p>}
        <div><button disabled={!current || !next || save.isPending}>{t("settings.change")}</button></div>
      </div>
    </form>
  );
}
