import type { Parameters } from "./document";

/** A place in a source that names a node: `$('Name')`, `$node["Name"]`, `$node.Name`, `$items("Name")`. */
export interface Reference {
  name: string;
  start: number;
  end: number;
  /** Whether it is `$('Name')`, whose accessor (`.item`, `.first()`, …) follows. */
  call: boolean;
}

const QUOTED = "([\"'`])((?:\\\\.|(?!\\QUOTE)[^\\\\])*)\\QUOTE";
const quoted = (group: number): string => QUOTED.replaceAll("QUOTE", String(group));
const HEAD = new RegExp(`\\$\\(\\s*${quoted(1)}\\s*\\)|\\$node\\[\\s*${quoted(3)}\\s*\\]|\\$node\\.([A-Za-z_$][\\w$]*)|\\$items\\(\\s*${quoted(6)}`, "g");
const COMPUTED = /\$\(\s*(?!["'`\s])|\$node\[\s*(?!["'`\s])|\$items\(\s*(?!["'`\s)])|\$(?:items)?\(\s*`[^`]*\$\{|\$node\[\s*`[^`]*\$\{|\$\(\s*(["'])(?:\\.|(?!\1)[^\\])*\1\s*[^)\s]/;

/** All places that name a node by a literal. */
export function referencesIn(source: string): Reference[] {
  return [...source.matchAll(HEAD)].map((match) => ({
    name: (match[2] ?? match[4] ?? match[5] ?? match[7] ?? "").replace(/\\(.)/g, "$1"),
    start: match.index,
    end: match.index + match[0].length,
    call: match[2] !== undefined,
  }));
}

/** Whether it names nodes that only a run can tell. */
export const computesNames = (source: string): boolean => COMPUTED.test(source);

const runs = (value: string, key: string): boolean => value.startsWith("=") || /code$/i.test(key);

/** The expressions (text that begins with =) and scripts (members whose names end in Code) of parameters. */
export function sourcesOf(value: unknown, key = ""): string[] {
  if (typeof value === "string") return runs(value, key) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((member: unknown) => sourcesOf(member, key));
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, member]) => sourcesOf(member, name));
}

/** Changes every expression and script; the same object comes back where none changes. */
export function mapSources(parameters: Parameters, change: (source: string) => string): Parameters {
  return mapped(parameters, "", change) as Parameters;
}

function mapped(value: unknown, key: string, change: (source: string) => string): unknown {
  if (typeof value === "string") return runs(value, key) ? change(value) : value;
  if (value === null || typeof value !== "object") return value;
  const entries: [string, unknown][] = Object.entries(value);
  const after = entries.map(([name, member]): [string, unknown] => [name, mapped(member, Array.isArray(value) ? key : name, change)]);
  if (after.every(([, member], at) => member === entries[at]?.[1])) return value;
  return Array.isArray(value) ? after.map(([, member]) => member) : Object.fromEntries(after);
}
