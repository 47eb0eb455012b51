import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client";
import { Brand } from "../shell/Brand";

/** Sign-in; on a fresh installation the first visitor creates the owner instead. */
export function SignIn() {
  const setup = useQuery({ queryKey: ["setup"], queryFn: api.setup });
  const queries = useQueryClient();
  const [joining, setJoining] = useState(false);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  const first = setup.data?.needs_owner ?? false;
  const register = first || joining;

  const submit = async (form: FormData) => {
    const field = (name: string) => {
      const value = form.get(name);
      return typeof value === "string" ? value : "";
    };
    setBusy(true);
    setProblem("");
    try {
      const account = { email: field("email"), password: field("password") };
      if (register) await api.register({ ...account, first_name: field("first_name"), last_name: field("last_name") });
      else await api.login(account);
      await queries.invalidateQueries({ queryKey: ["me"] });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };

  if (setup.isPending) return <div className="gate soft">Opening Weft…</div>;
  return (
    <div className="gate">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit(new FormData(event.currentTarget));
        }}
      >
        <Brand />
        <div>
          <h1>{first ? "Set up your Weft" : register ? "Create your account" : "Sign in"}</h1>
          <p className="soft">
            {first ? "You are the first here. This account will own the installation." : "Workflows that are never lost."}
          </p>
        </div>
        {setup.isError && <p className="notice" role="alert">{setup.error.message}</p>}
        {problem && <p className="notice" role="alert">{problem}</p>}
        {register && (
          <div className="pair">
            <label>
              First name
              <input name="first_name" autoComplete="given-name" />
            </label>
            <label>
              Last name
              <input name="last_name" autoComplete="family-name" />
            </label>
          </div>
        )}
        <label>
          E-mail
          <input name="email" type="email" required autoComplete="username" autoFocus />
        </label>
        <label>
          Password
          <input name="password" type="password" required minLength={register ? 8 : 1} autoComplete={register ? "new-password" : "current-password"} />
        </label>
        <button className="primary" disabled={busy}>
          {busy ? "One moment…" : register ? "Create account" : "Sign in"}
        </button>
        {!first && setup.data?.registration === "open" && (
          <button type="button" className="quiet" onClick={() => { setJoining(!joining); }}>
            {joining ? "I have an account" : "Create an account"}
          </button>
        )}
      </form>
    </div>
  );
}
