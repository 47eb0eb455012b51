import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { useNavigate } from "react-router";
import { api } from "../api/api";
import { ApiError } from "../api/client";
import { t } from "../i18n";
import { Brand } from "../shell/Brand";

/** Signs in; the very first visitor registers here and becomes the owner. */
export function SignIn() {
  const setup = useQuery({ queryKey: ["setup"], queryFn: api.setup });
  const [wantsAccount, setWantsAccount] = useState(false);
  const owner = setup.data?.needs_owner ?? false;
  const registers = owner || wantsAccount;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const enter = useMutation({
    mutationFn: (form: Record<"email" | "password" | "first_name" | "last_name" | "code", string>) => {
      const { code, ...person } = form;
      if (registers) return api.register(person);
      return api.login({ email: form.email, password: form.password, ...(code && { code }) });
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["me"] });
      if (registers) await navigate("/");
    },
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => (form.get(name) as string | null) ?? "";
    enter.mutate({ email: text("email"), password: text("password"), first_name: text("first_name"), last_name: text("last_name"), code: text("code") });
  };
  const factor = enter.error instanceof ApiError ? enter.error.details.second_factor : undefined;
  const asksCode = factor !== undefined || Boolean(enter.variables?.code);
  const failure = factor === "required" ? null : (enter.error ?? setup.error);
  if (setup.isPending) return <div className="opening" role="status">{t("state.loading")}</div>;
  return (
    <main className="gate">
      <div className="form">
        <form onSubmit={submit}>
          <Brand />
          <div>
            <h1>{t(owner ? "auth.setup" : registers ? "auth.create" : "auth.signIn")}</h1>
            {owner && <p className="soft">{t("auth.setupText")}</p>}
          </div>
          {registers && (
            <div className="pair">
              <Input name="first_name" label={t("auth.firstName")} autoComplete="given-name" />
              <Input name="last_name" label={t("auth.lastName")} autoComplete="family-name" />
            </div>
          )}
          <Input name="email" type="email" label={t("auth.email")} autoComplete="username" required />
          <Input
            name="password"
            type="password"
            label={t("auth.password")}
            autoComplete={registers ? "new-password" : "current-password"}
            required
            {...(registers && { hint: t("auth.passwordHint") })}
          />
          {asksCode && !registers && (
            <Input name="code" label={t("auth.code")} hint={t("auth.codeHint")} autoComplete="one-time-code" autoFocus required />
          )}
          {failure && <p className="notice" role="alert">{failure.message}</p>}
          <button className="primary" disabled={enter.isPending}>{t(registers ? "auth.createAccount" : "auth.signIn")}</button>
          {!owner && setup.data?.registration === "open" && (
            <button type="button" className="quiet" onClick={() => setWantsAccount(!wantsAccount)}>
              {t(wantsAccount ? "auth.haveAccount" : "auth.needAccount")}
            </button>
          )}
        </form>
      </div>
      <Art />
    </main>
  );
}

function Input({ label, hint, name, ...rest }: { label: string; hint?: string; name: string } & React.ComponentProps<"input">) {
  return (
    <div className="field">
      <label htmlFor={name}>{label}</label>
      <input id={name} name={name} {...rest} />
      {hint && <span className="hint">{hint}</span>}
    </div>
  );
}

/** Threads over and under each other. */
function Art() {
  const threads = Array.from({ length: 13 }, (_, index) => {
    const y = index * 80 - 40;
    const bend = index % 2 ? 46 : -46;
    return `M-20 ${y}c110 0 110 ${bend} 220 ${bend}s110 ${-bend} 220 ${-bend} 110 ${bend} 220 ${bend} 110 ${-bend} 220 ${-bend} 110 ${bend} 220 ${bend}`;
  });
  return (
    <div className="art" aria-hidden="true">
      <svg viewBox="0 0 1000 900" preserveAspectRatio="xMidYMid slice" fill="none" strokeWidth="5" strokeLinecap="round">
        {threads.map((path, index) => <path key={path} d={path} stroke={index % 3 === 0 ? "#3fd0bf" : "#14736b"} />)}
      </svg>
      <strong>{t("auth.claim")}</strong>
      <p>{t("auth.claimText")}</p>
    </div>
  );
}
