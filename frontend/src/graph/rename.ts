import type { Parameters } from "./document";

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * Replaces a node's name in the source of an expression or script: `$('Old')`, `$items("Old")`, `$node["Old"]`,
 * `$node.Old`. Other text that happens to hold the name stays.
 */
export function renameInSource(source: string, from: string, to: string): string {
  const quoted = new RegExp(`(\\$(?:items)?\\(\\s*|\\$node\\[\\s*)(["'\`])${escaped(inQuotes(from))}\\2`, "g");
  let changed = source.replace(quoted, (_, before: string, quote: string) => `${before}${quote}${inQuotes(to, quote)}${quote}`);
  if (IDENTIFIER.test(from)) {
    const member = new RegExp(`\\$node\\.${escaped(from)}(?![\\w$])`, "g");
    changed = changed.replace(member, () => (IDENTIFIER.test(to) ? `$node.${to}` : `$node["${inQuotes(to, '"')}"]`));
  }
  return changed;
}

/** A name as the inside of a string literal. Without a quote: as the usual writers do it, only backslashes doubled. */
function inQuotes(name: string, quote = ""): string {
  const doubled = name.replaceAll("\\", "\\\\");
  return quote ? doubled.replaceAll(quote, `\\${quote}`) : doubled;
}

/** Renames in every expression (text that begins with =) and every script (a member whose name ends in Code). */
export function renameInParameters(parameters: Parameters, from: string, to: string): Parameters {
  return renameIn(parameters, from, to, "") as Parameters;
}

function renameIn(value: unknown, from: string, to: string, key: string): unknown {
  if (typeof value === "string") {
    return value.startsWith("=") || /code$/i.test(key) ? renameInSource(value, from, to) : value;
  }
  if (Array.isArray(value)) return kept(value, value.map((member: unknown) => renameIn(member, from, to, key)));
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value);
  const changed = entries.map(([name, member]): [string, unknown] => [name, renameIn(member, from, to, name)]);
  return changed.some(([, member], at) => member !== entries[at]?.[1]) ? Object.fromEntries(changed) : value;
}

/** The old list where no member changed, so that unchanged nodes stay the same objects. */
function kept(before: unknown[], after: unknown[]): unknown[] {
  return after.some((member, at) => member !== before[at]) ? after : before;
}
