import { useMutation, useQuery } from "@tanstack/react-query";
import { Check, Link2 } from "lucide-react";
import { useEffect, useState } from "react";
import { api } from "../api/api";
import type { Credential } from "../api/types";
import { t } from "../i18n";
import { ago } from "../shell/format";

const OPEN_MS = 600_000;

interface ConnectionProps {
  callback: string;
  credential: Credential | undefined;
  /** There is something that is not stored yet. */
  changed: boolean;
  onSave: () => Promise<Credential>;
}

/** A sign-in at the service: what to register there, whether there was one, and the way to it. The consent is given in a
 * window of its own, which tells this one nothing: the stored credential does. */
export function Connection({ callback, credential, changed, onSave }: ConnectionProps) {
  /** When it was connected last, while a new consent is waited for. */
  const [since, setSince] = useState<string | null>();
  const id = credential?.id ?? "";
  const waitsFor = (held: Credential | undefined) => since !== undefined && (held?.connected_at ?? null) === since;
  const found = useQuery({
    queryKey: ["credential", id],
    queryFn: () => api.credential(id),
    enabled: id !== "",
    refetchInterval: (query) => (waitsFor(query.state.data) ? 1_000 : false),
    staleTime: 0,
  });
  const connected = found.data?.connected_at ?? null;
  const waits = waitsFor(found.data);
  useEffect(() => {
    if (since === undefined) return;
    const timer = setTimeout(() => setSince(undefined), OPEN_MS);
    return () => clearTimeout(timer);
  }, [since]);
  const connect = useMutation({
    mutationFn: async (page: Window) => {
      try {
        const stored = credential && !changed ? credential : await onSave();
        const before = (await api.credential(stored.id)).connected_at;
        page.location.href = (await api.authorize(stored.id)).url;
        setSince(before);
      } catch (error) {
        page.close();
        throw error;
      }
    },
  });
  const [blocked, setBlocked] = useState(false);
  // opened by the click itself: later on browsers take it for a pop-up that nobody wants
  const open = () => {
    const page = window.open("", "weft-sign-in", "popup,width=640,height=760");
    setBlocked(page === null);
    if (page) connect.mutate(page);
  };
  return (
    <div className="parameters">
      <div className="field">
        <label htmlFor="credential-callback">{t("credentials.callback")}</label>
        <input id="credential-callback" readOnly value={callback} onFocus={(event) => event.target.select()} />
        <span className="hint">{t("credentials.callbackText")}</span>
      </div>
      <div className="row">
        <button type="button" disabled={connect.isPending} onClick={open}><Link2 size={17} />{connected ? t("credentials.reconnect") : t("credentials.connect")}</button>
        <span role="status" className="row soft">
          {waits ? t("credentials.connecting") : connected ? <><Check size={17} />{t("credentials.connectedSince", { when: ago(connected) })}</> : t("credentials.notConnected")}
        </span>
      </div>
      {blocked && <p className="notice" role="alert">{t("credentials.popup")}</p>}
      {connect.error && <p className="notice" role="alert">{connect.error.message}</p>}
    </div>
  );
}
