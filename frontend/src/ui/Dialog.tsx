import { X } from "lucide-react";
import { type SubmitEvent, type ReactNode, useEffect, useRef } from "react";
import { t } from "../i18n";

interface DialogProps {
  title: string;
  onClose: () => void;
  onSubmit?: () => void;
  footer?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}

/** A modal dialog of the browser's own: focus stays in it and goes back to where it came from, Escape closes it. */
export function Dialog({ title, onClose, onSubmit, footer, wide, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  /** Whether the pointer went down beside the dialog: a text that is marked from within and beyond closes nothing. */
  const outside = useRef(false);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    const opener = document.activeElement;
    if (!element.open) element.showModal();
    // React's autoFocus comes too early for an element that isn't shown
    element.querySelector<HTMLElement>(".body :is(input, select, textarea)")?.focus();
    return () => {
      // a dialog that is taken away without being closed gives the focus to nobody
      if (document.activeElement === document.body && opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onSubmit?.();
  };
  const content = (
    <>
      <div className="body">{children}</div>
      {footer && <footer>{footer}</footer>}
    </>
  );
  return (
    <dialog
      ref={dialog}
      aria-label={title}
      className={wide ? "wide" : undefined}
      onClose={onClose}
      onPointerDown={(event) => { outside.current = event.target === dialog.current; }}
      onClick={(event) => outside.current && event.target === dialog.current && dialog.current.close()}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" className="icon small" aria-label={t("action.close")} onClick={() => dialog.current?.close()}>
          <X size={18} />
        </button>
      </header>
      {onSubmit ? <form onSubmit={submit}>{content}</form> : content}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  text: string;
  action: string;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something that can't be taken back. */
export function Confirm({ title, text, action, onConfirm, onClose }: ConfirmProps) {
  const confirm = () => {
    onConfirm();
    onClose();
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          <button onClick={onClose}>{t("action.cancel")}</button>
          <button className="danger" onClick={confirm}>{action}</button>
        </>
      }
    >
      <p>{text}</p>
    </Dialog>
  );
}
