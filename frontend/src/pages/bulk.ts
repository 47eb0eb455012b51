import type { Several } from "../api/types";
import { t } from "../i18n";
import { say } from "../ui/toast";

/** Says what could not be done, with the first reason. True where everything was. */
export function sayFailures(answer: Several): boolean {
  const [first] = answer.failed;
  if (first) say(t("bulk.failed", { count: answer.failed.length, reason: first.message }), { bad: true });
  return !first;
}

/** A set with one member more, or without it. */
export function toggled(chosen: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(chosen);
  if (!next.delete(id)) next.add(id);
  return next;
}
