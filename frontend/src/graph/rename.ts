import type { Parameters } from "./document";

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const QUOTED = /(\$(?:items)?\(\s*|\$node\[\s*)(["'`])((?:\\[^]|(?!\2)[^\\])*)\2/g;
const MEMBER = /\$node\.([A-Za-z_$][\w$]*)/g;

/** New names by old ones. */
export type Renames = ReadonlyMap<string, string>;

/**
 * Replaces names of nodes in the source of an expression or script, all at once: `$('Old')`, `$items("Old")`,
 * `$node["Old"]`, `$node.Old`. Other text that happens to hold a name stays.
 */
export function renameInSource(source: string, renames: Renames): string {
  return source
    .replace(QUOTED, (all, before: string, quote: string, inside: string) => {
      const to = renames.get(inside.replace(/\\([^])/g, "$1"));
      return to === undefined ? all : `${before}${quote}${inQuotes(to, quote)}${quote}`;
    })
    .replace(MEMBER, (all, from: string) => {
      const to = renames.get(from);
      if (to === undefined) return all;
      return IDENTIFIER.test(to) ? `$node.${to}` : `$node["${inQuotes(to, '"')}"]`;
    });
}

/** A name as the inside of a string literal. */
const inQuotes = (name: string, quote: string): string => name.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`);

/** Renames in every expression (text that begins with =) and every script (a member whose name ends in Code). */
export function renameInParameters(parameters: Parameters, renames: Renames): Parameters {
  return renames.size === 0 ? parameters : (renameIn(parameters, renames, "") as Parameters);
}

function renameIn(value: unknown, renames: Renames, key: string): unknown {
  if (typeof value === "string") {
    return value.startsWith("=") || /code$/i.test(key) ? renameInSource(value, renames) : value;
  }
  if (Array.isArray(value)) return kept(value, value.map((member: unknown) => renameIn(member, renames, key)));
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value);
  const changed = entries.map(([name, member]): [string, unknown] => [name, renameIn(member, renames, name)]);
  return changed.some(([, member], at) => member !== entries[at]?.[1]) ? Object.fromEntries(changed) : value;
}

/** The old list where no member changed, so that unchanged nodes stay the same objects. */
function kept(before: unknown[], after: unknown[]): unknown[] {
  return after.some((member, at) => member !== before[at]) ? after : before;
}
