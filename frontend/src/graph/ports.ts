import { effective, fulfils, shows } from "../forms/conditions";
import { groupOf, type NodeDefinition, type PortRule } from "../forms/definition";
import type { GraphNode } from "./document";

export interface Ports {
  /** Labels of the main ports; an empty text for a plain one. */
  inputs: string[];
  outputs: string[];
}

const UNKNOWN: Ports = { inputs: [""], outputs: [""] };

/** What lies at a dotted path; a list on the way stands for each of its members (as the node SDK's `values_at`). */
export function valuesAt(holder: unknown, path: string): unknown[] {
  let found: unknown[] = [holder];
  for (const part of path.split(".")) {
    found = found.flatMap((each) => {
      if (typeof each !== "object" || each === null || !(part in each)) return [];
      const value = (each as Record<string, unknown>)[part];
      return Array.isArray(value) ? (value as unknown[]) : [value];
    });
  }
  return found;
}

/** The ports of a node as its parameters make them, the error output included. */
export function portsOf(node: GraphNode, definition: NodeDefinition | undefined): Ports {
  const group = definition && groupOf(definition, node.typeVersion);
  if (!group) return node.onError === "continueErrorOutput" ? { inputs: [""], outputs: ["", "error"] } : UNKNOWN;
  const values = effective(group.properties ?? [], node.parameters, node.typeVersion);
  const outputs = labels(group.outputs, values, node.typeVersion);
  if (node.onError === "continueErrorOutput" && outputs.length > 0) outputs.push("error");
  return { inputs: labels(group.inputs, values, node.typeVersion, (index) => `Input ${index + 1}`), outputs };
}

/** `numbered`: the label of a port that only its place tells; outputs count from 0, as in n8n. */
function labels(rules: PortRule[], values: Record<string, unknown>, version: number, numbered: (index: number) => string = String): string[] {
  const holds = (when: PortRule["when"] = {}) =>
    Object.entries(when).every(([key, wanted]) =>
      key === "@version" ? fulfils(version, wanted) : valuesAt(values, key).some((value) => fulfils(value, wanted)),
    );
  const rule = rules.find((each) => holds(each.when));
  if (!rule) return [];
  const found = [...(rule.labels ?? [])];
  if (rule.number_of) {
    const amount = valuesAt(values, rule.number_of)[0];
    const count = typeof amount === "number" && amount >= 0 && amount <= 100 ? Math.trunc(amount) : (rule.default ?? 0);
    for (let index = 0; index < count; index++) found.push(numbered(index));
  } else if (rule.list_of) {
    const entries = valuesAt(values, rule.list_of);
    const listed = entries.length > 0 ? entries : new Array<unknown>(rule.default ?? 0).fill(null);
    listed.forEach((entry, index) => found.push(nameOf(entry, rule.label_key ?? "") || numbered(index)));
  }
  for (const extra of rule.extra ?? []) {
    if (!holds(extra.when)) continue;
    const named = extra.label_from ? valuesAt(values, extra.label_from)[0] : "";
    found.push(typeof named === "string" && named ? named : extra.label);
  }
  return found;
}

function nameOf(entry: unknown, key: string): string {
  const named: unknown = typeof entry === "object" && entry !== null ? (entry as Record<string, unknown>)[key] : entry;
  return typeof named === "string" ? named : "";
}

/** Credential types that the node may take with its present parameters: those of its definition, and those that a
 * parameter chooses. */
export function credentialsOf(node: GraphNode, definition: NodeDefinition): { type: string; required: boolean }[] {
  const group = groupOf(definition, node.typeVersion);
  if (!group) return [];
  const root = effective(group.properties ?? [], node.parameters, node.typeVersion);
  const scope = { beside: root, root, version: node.typeVersion };
  const named = (group.credentials ?? []).filter((use) => shows(use, scope)).map((use) => ({ type: use.type, required: use.required ?? false }));
  const chosen = (group.properties ?? [])
    .filter((property) => property.type === "credentialsSelect" && shows(property, scope))
    .map((property) => node.parameters[property.name])
    .filter((type): type is string => typeof type === "string" && type !== "" && !named.some((use) => use.type === type));
  return [...named, ...chosen.map((type) => ({ type, required: true }))];
}
