import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
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

export function Failed({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  return (
    <div className="empty" role="alert">
      <div className="mark"><CircleAlert /></div>
      <strong>{t("state.failed")}</strong>
      <p>{error.message}</p>
      {onRetry && <div className="row"><button onClick={onRetry}>{t("action.again")}</button></div>}
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
