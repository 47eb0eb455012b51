import { t } from "../i18n";

/** Somebody's HTML as a page that runs nothing, loads nothing from elsewhere, and has no origin. */
export function HtmlPreview({ html }: { html: string }) {
  return <iframe className="preview page" sandbox="" title={t("data.html")} srcDoc={html} />;
}
