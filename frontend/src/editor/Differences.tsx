import type { Difference } from "../graph/diff";
import { t } from "../i18n";

/** What differs, as a list that can be read at a glance. */
export function Differences({ difference }: { difference: Difference }) {
  const { added, removed, changed, wiring } = difference;
  const rows = [
    ...added.map((name) => ["added", "+", name] as const),
    ...removed.map((name) => ["removed", "−", name] as const),
    ...changed.map((name) => ["changed", "~", name] as const),
  ];
  if (rows.length === 0 && !wiring) return <p className="soft">{t("diff.none")}</p>;
  return (
    <ul className="differences">
      {rows.map(([kind, sign, name]) => <li key={kind + name} className={kind}><b aria-hidden="true">{sign}</b>{name}<span className="soft">{t(`diff.${kind}`)}</span></li>)}
      {wiring && <li className="changed"><b aria-hidden="true">~</b>{t("diff.wiring")}</li>}
    </ul>
  );
}
