import { t } from "../i18n";

/** Previous and next, shown only where there is more than one page. */
export function Pager({ page, pages, onPage }: { page: number; pages: number; onPage: (page: number) => void }) {
  if (pages <= 1) return null;
  return (
    <div className="pager">
      <span className="soft">{t("pager.page", { page, pages })}</span>
      <button disabled={page <= 1} onClick={() => onPage(page - 1)}>{t("pager.previous")}</button>
      <button disabled={page >= pages} onClick={() => onPage(page + 1)}>{t("pager.next")}</button>
    </div>
  );
}
