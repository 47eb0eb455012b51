import { X } from "lucide-react";
import { create } from "zustand";
import { t } from "../i18n";

interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 7_000;
let last = 0;

const useToasts = create<{ toasts: Toast[] }>(() => ({ toasts: [] }));

const dismiss = (id: number) => {
  useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((each) => each.id !== id) }));
};

/** Says something at the edge of the page for a while. */
export function say(text: string, options: { bad?: boolean; action?: Toast["action"] } = {}): void {
  const id = ++last;
  const toast: Toast = { id, text, bad: options.bad ?? false, ...(options.action && { action: options.action }) };
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts.slice(-3), toast] }));
  setTimeout(() => dismiss(id), SHOWN_MS);
}

export const sayError = (error: Error): void => say(error.message, { bad: true });

export function Toasts() {
  const toasts = useToasts((state) => state.toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map(({ id, text, bad, action }) => (
        <div key={id} className={bad ? "toast bad" : "toast"}>
          <p>{text}</p>
          {action && <button className="small" onClick={() => { action.run(); dismiss(id); }}>{action.label}</button>}
          <button className="icon small" aria-label={t("action.close")} onClick={() => dismiss(id)}><X size={16} /></button>
        </div>
      ))}
    </div>
  );
}
