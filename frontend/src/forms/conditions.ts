import type { Conditions, Property } from "./definition";

/** Show and hide rules, as the node SDK evaluates them (`display.py`), so that forms and runs agree. */

type Holder = Record<string, unknown>;
const MISSING = Symbol("missing");

const isObject = (value: unknown): value is Holder => typeof value === "object" && value !== null && !Array.isArray(value);

const same = (left: unknown, right: unknown): boolean =>
  left === right || (typeof left === "object" && left !== null && JSON.stringify(left) === JSON.stringify(right));

const ordered = (compare: (left: number, right: number) => boolean) => (actual: unknown, wanted: unknown) =>
  typeof actual === "number" && typeof wanted === "number" && compare(actual, wanted);

const COMPARISONS: Record<string, (actual: unknown, wanted: unknown) => boolean> = {
  eq: same,
  not: (actual, wanted) => !same(actual, wanted),
  gt: ordered((left, right) => left > right),
  gte: ordered((left, right) => left >= right),
  lt: ordered((left, right) => left < right),
  lte: ordered((left, right) => left <= right),
  between: (actual, wanted) =>
    typeof actual === "number" && isObject(wanted) && Number(wanted.from) <= actual && actual <= Number(wanted.to),
  startsWith: (actual, wanted) => typeof actual === "string" && actual.startsWith(String(wanted)),
  endsWith: (actual, wanted) => typeof actual === "string" && actual.endsWith(String(wanted)),
  includes: (actual, wanted) => (typeof actual === "string" ? actual.includes(String(wanted)) : Array.isArray(actual) && actual.includes(wanted)),
  regex: (actual, wanted) => typeof actual === "string" && new RegExp(String(wanted)).test(actual),
  exists: (actual, wanted) => (actual !== null && actual !== "" && actual !== MISSING && actual !== undefined) === Boolean(wanted),
};

function matches(actual: unknown, wanted: unknown): boolean {
  if (!isObject(wanted) || !isObject(wanted._cnd)) return same(actual, wanted);
  return Object.entries(wanted._cnd).every(([name, argument]) => COMPARISONS[name]?.(actual, argument) ?? false);
}

/** Whether a value, or one member of a list, fulfils one entry of a condition. */
export function fulfils(given: unknown, wanted: unknown[]): boolean {
  const actual = isObject(given) && "__rl" in given ? given.value : given;
  const each: unknown[] = Array.isArray(actual) ? actual : [actual];
  return each.some((member) => wanted.some((entry) => matches(member, entry)));
}

const mayFulfil = (actual: unknown, wanted: unknown[]): boolean =>
  (typeof actual === "string" && actual.startsWith("=")) || fulfils(actual, wanted);

/** Where a rule looks: values beside the parameter, at the node's root (`/name`), and the version. */
export interface Scope {
  beside: Holder;
  root: Holder;
  version: number;
}

function lookUp(key: string, scope: Scope): unknown {
  if (key === "@version") return scope.version;
  if (key === "@tool") return false;
  if (!key.startsWith("/")) return key in scope.beside ? scope.beside[key] : MISSING;
  let found: unknown = scope.root;
  for (const part of key.slice(1).split(".")) found = isObject(found) && part in found ? found[part] : MISSING;
  return found;
}

export function shows(rules: { show?: Conditions | undefined; hide?: Conditions | undefined }, scope: Scope): boolean {
  const fixed = (key: string, wanted: unknown[]) => (key.startsWith("@") ? fulfils : mayFulfil)(lookUp(key, scope), wanted);
  const needed = Object.entries(rules.show ?? {}).every(([key, wanted]) => fixed(key, wanted));
  return needed && !Object.entries(rules.hide ?? {}).some(([key, wanted]) => fulfils(lookUp(key, scope), wanted));
}

/** The default of a parameter, or the empty value of its type. */
export function emptyOf(property: Property): unknown {
  if (property.default !== undefined && property.default !== null) return property.default;
  switch (property.type) {
    case "number":
      return 0;
    case "boolean":
      return false;
    case "multiOptions":
      return [];
    case "collection":
    case "fixedCollection":
    case "filter":
    case "assignmentCollection":
      return {};
    case "resourceLocator":
      return { __rl: true, mode: "list", value: "" };
    case "options":
      return property.options?.[0]?.value ?? "";
    default:
      return "";
  }
}

/**
 * The values that rules look at: what is set, else the default of the parameter that shows. Several parameters may
 * share a name; only one shows at a time, and its default may decide about others, so defaults settle in rounds.
 */
export function effective(properties: Property[], values: Holder, version: number, root?: Holder): Holder {
  let settled: Holder = { ...values };
  for (let round = 0; round < 4; round++) {
    const next: Holder = { ...values };
    const scope: Scope = { beside: settled, root: root ?? settled, version };
    for (const property of properties) {
      if (!(property.name in next) && shows(property, scope)) next[property.name] = emptyOf(property);
    }
    if (JSON.stringify(next) === JSON.stringify(settled)) break;
    settled = next;
  }
  return settled;
}

/** The parameters that show, the first of each name. */
export function visible(properties: Property[], scope: Scope): Property[] {
  const seen = new Set<string>();
  return properties.filter((property) => {
    if (property.type === "hidden" || seen.has(property.name) || !shows(property, scope)) return false;
    seen.add(property.name);
    return true;
  });
}
