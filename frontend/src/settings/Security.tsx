import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { renderSVG } from "uqr";
import { api } from "../api/api";
import { t } from "../i18n";
import { ago, when } from "../shell/format";
import { Failed, Loading } from "../ui/states";
import { say, sayError } from "../ui/toast";
import { browser } from "./browsers";

/** The second factor: off, being set up, or on. */
export function TwoFactor() {
  const queries = useQueryClient();
  const found = useQuery({ queryKey: ["2fa"], queryFn: api.twoFactor });
  const [code, setCode] = useState("");
  const refresh = () => { setCode(""); return queries.invalidateQueries({ queryKey: ["2fa"] }); };
  const setup = useMutation({ mutationFn: api.setUpTwoFactor, onError: sayError });
  const enable = useMutation({ mutationFn: () => api.enableTwoFactor(code), onSuccess: refresh });
  const disable = useMutation({ mutationFn: () => api.disableTwoFactor(code), onSuccess: () => { setup.reset(); enable.reset(); return refresh(); } });
  const on = found.data?.enabled ?? false;
  const change = on ? disable : enable;
  const submit = (event: SubmitEvent) => { event.preventDefault(); change.mutate(); };
  return (
    <form className="card" onSubmit={submit}>
      <header><h2>{t("settings.factor")}</h2><span className="badge">{t(on ? "settings.on" : "settings.off")}</span></header>
      <div className="body">
        {found.isError ? <Failed error={found.error} onRetry={() => void found.refetch()} /> : found.isPending && <Loading lines={1} />}
        <p className="soft">{t("settings.factorText")}</p>
        {on && enable.data && (
          <div className="field">
            <span className="label" id="recovery">{t("settings.recovery")}</span>
            <p className="notice info">{t("settings.recoveryText")}</p>
            <pre aria-labelledby="recovery">{enable.data.recovery_codes.join("\n")}</pre>
          </div>
        )}
        {on && !enable.data && <p>{t("settings.recoveryLeft", { count: found.data?.recovery_codes_left ?? 0 })}</p>}
        {!on && setup.data && (
          <>
            <p>{t("settings.scan")}</p>
            <img src={`data:image/svg+xml,${encodeURIComponent(renderSVG(setup.data.uri))}`} alt={t("settings.scan")} width={192} />
            <div className="field"><label htmlFor="secret">{t("settings.secret")}</label><input id="secret" className="mono" readOnly value={setup.data.secret} /></div>
          </>
        )}
        {(on || setup.data) && (
          <div className="field">
            <label htmlFor="code">{t("auth.code")}</label>
            <input id="code" value={code} autoComplete="one-time-code" inputMode={on ? "text" : "numeric"} autoFocus={!on} style={{ maxWidth: 240 }} onChange={(event) => setCode(event.target.value)} />
          </div>
        )}
        {change.isError && <p className="notice" role="alert">{change.error.message}</p>}
        <div>
          {on || setup.data
            ? <button className={on ? "" : "primary"} disabled={!code || change.isPending}>{t(on ? "settings.turnOff" : "settings.turnOn")}</button>
            : <button type="button" disabled={setup.isPending} onClick={() => setup.mutate()}>{t("settings.setUp")}</button>}
        </div>
      </div>
    </form>
  );
}

/** Where one is signed in; each can be ended. */
export function Sessions() {
  const queries = useQueryClient();
  const found = useQuery({ queryKey: ["sessions"], queryFn: api.sessions });
  const end = useMutation({
    mutationFn: (id: string) => api.endSession(id),
    onSuccess: () => say(t("settings.sessionEnded")),
    onSettled: () => queries.invalidateQueries({ queryKey: ["sessions"] }),
    onError: sayError,
  });
  return (
    <section className="card table whole">
      <header><h2>{t("settings.sessions")}</h2></header>
      {found.isError ? <Failed error={found.error} onRetry={() => void found.refetch()} /> : found.isPending ? <Loading lines={2} /> : (
        <table>
          <thead><tr><th>{t("settings.browser")}</th><th>{t("settings.address")}</th><th>{t("keys.used")}</th><th><span className="sr">{t("action.actions")}</span></th></tr></thead>
          <tbody>
            {found.data.map((session) => (
              <tr key={session.id}>
                <td className="name" title={session.user_agent}>{browser(session.user_agent)}</td>
                <td className="mono">{session.address}</td>
                <td className="soft" title={when(session.last_used_at)}>{ago(session.last_used_at)}</td>
                <td className="tail">
                  {session.current
                    ? <span className="badge">{t("settings.thisOne")}</span>
                    : <button className="small" disabled={end.isPending} onClick={() => end.mutate(session.id)}>{t("settings.end")}</button>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
