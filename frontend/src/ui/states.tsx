import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { ExecutionStatus, NodeStatus } from "../api/types";
import { t } from "../i18n";

/** What a place says that has nothing yet: what belongs there, and the first step. */
export function Empty({ icon, title, children, actions }: { icon: ReactNode; title: string; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="empty">
      <div className="mark">{icon}</div>
      <strong>{title}</strong>
      {children && <p>{children}</p>}
      {actions && <div className="row">{actions}</div>}
    </div>
  );
}

interface FailedProps {
  error: Error;
  onRetry?: () => void;
  /** Where to go instead, from a page without navigation. */
  back?: { to: string; label: string };
}

export function Failed({ error, onRetry, back }: FailedProps) {
  return (
    <div className={back ? "empty alone" : "empty"} role="alert">
      <div className="mark"><CircleAlert /></div>
      <strong>{t("state.failed")}</strong>
      <p>{error.message}</p>
      <div className="row">
        {onRetry && <button onClick={onRetry}>{t("action.again")}</button>}
        {back && <Link className="button" to={back.to}>{back.label}</Link>}
      </div>
    </div>
  );
}

export function Loading({ lines = 6 }: { lines?: number }) {
  return (
    <div className="skeleton" role="status" aria-label={t("state.loading")}>
      {Array.from({ length: lines }, (_, index) => <i key={index} />)}
    </div>
  );
}

export function Status({ value }: { value: ExecutionStatus | NodeStatus }) {
  return <span className={`status ${value}`}>{t(`status.${value}`)}</span>;
}
