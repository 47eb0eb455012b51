/** Values that are expressions begin with "="; what stands in `{{ }}` is evaluated. */

export const isExpression = (value: unknown): value is string => typeof value === "string" && value.startsWith("=");

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** The source that reaches a value from a root such as `$json`. */
export function pathSource(root: string, path: readonly (string | number)[]): string {
  return path.reduce<string>((source, part) => {
    if (typeof part === "number") return `${source}[${part}]`;
    return IDENTIFIER.test(part) ? `${source}.${part}` : `${source}[${JSON.stringify(part)}]`;
  }, root);
}

/** The last name that `pathSource` has written in `{{ $json.a.b }}` or `{{ $json["a b"] }}`. */
export function lastName(source: string): string {
  const found = /(?:\.([A-Za-z_$][\w$]*)|\[("(?:\\.|[^"\\])*")\])(?:\[\d+\])*\s*\}\}$/.exec(source);
  return found?.[1] ?? (found?.[2] ? (JSON.parse(found[2]) as string) : "");
}

/** The root that names another node's item in an expression. */
export const nodeSource = (node: string): string => `$(${JSON.stringify(node)}).item.json`;

/** A fixed value as an expression that gives the same value. */
export function toExpression(value: unknown): string {
  if (typeof value === "string") return `=${value}`;
  if (value === undefined || value === null) return "=";
  return `={{ ${JSON.stringify(value)} }}`;
}

/** An expression as a fixed value: its text where nothing in it is evaluated, else the fallback. */
export function toFixed(expression: string, fallback: unknown): unknown {
  const text = expression.slice(1);
  return text.includes("{{") || typeof fallback !== "string" ? fallback : text;
}

/** Puts a dragged `{{ … }}` at the end of what is there. */
export function appended(value: unknown, source: string): string {
  if (isExpression(value)) return value.trim() === "=" ? `=${source}` : `${value}${source}`;
  return typeof value === "string" && value !== "" ? `=${value} ${source}` : `=${source}`;
}

/** Names of nodes that an expression refers to. */
export function referredNodes(expression: string): string[] {
  const found = [...expression.matchAll(/\$(?:items)?\(\s*(["'`])((?:\\.|(?!\1).)*)\1|\$node\[\s*(["'`])((?:\\.|(?!\3).)*)\3/g)];
  const dotted = [...expression.matchAll(/\$node\.([A-Za-z_$][\w$]*)/g)].map((match) => match[1] ?? "");
  const quoted = found.map((match) => (match[2] ?? match[4] ?? "").replace(/\\(.)/g, "$1"));
  return [...new Set([...quoted, ...dotted])].filter(Boolean);
}

/** A value as a field shows it. */
export function asText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
