import { Terminal } from "lucide-react";
import { useState } from "react";
import { named, t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import { CurlError, fromCurl } from "./curl";
import type { Values } from "./ParameterForm";

/** Fills an HTTP Request node from a cURL command. */
export function CurlImport({ onImport }: { onImport: (parameters: Values) => void }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const read = () => {
    try {
      onImport(fromCurl(text));
      setOpen(false);
      setText("");
    } catch (error) {
      if (!(error instanceof CurlError)) throw error;
      setProblem(named(`curl.${error.message}`, error.message));
    }
  };
  return (
    <>
      <button type="button" className="quiet small start" onClick={() => setOpen(true)}><Terminal size={15} />{t("curl.import")}</button>
      {open && (
        <Dialog
          title={t("curl.import")}
          onClose={() => setOpen(false)}
          onSubmit={read}
          footer={<><button type="button" onClick={() => setOpen(false)}>{t("action.cancel")}</button><button className="primary" disabled={!text.trim()}>{t("workflows.import")}</button></>}
        >
          <div className="field">
            <label htmlFor="curl-text">{t("curl.command")}</label>
            <textarea id="curl-text" rows={6} className="mono" placeholder="curl https://…" value={text} onChange={(event) => { setText(event.target.value); setProblem(""); }} />
            <span className="hint">{t("curl.hint")}</span>
          </div>
          {problem && <p className="notice" role="alert">{problem}</p>}
        </Dialog>
      )}
    </>
  );
}
