import type { NodeDefinition } from "../forms/definition";
import type { GraphNode } from "../graph/document";
import { FOLDED } from "../graph/groups";
import type { Ports } from "../graph/ports";
import { t } from "../i18n";

type Definition = NodeDefinition | null | undefined;

/** Whether a node starts workflows: by its type, else because nothing can come in. */
export const isTrigger = (definition: Definition, ports: Ports): boolean => Boolean(definition?.trigger) || (ports.inputs.length === 0 && definition !== null);

const WORDS = ["operation", "resource", "mode", "httpMethod", "method"];

/** What the node does, in a word or two: its address or operation, else the name of its type. Empty until that is known. */
export function nameOfKind(node: GraphNode, definition: Definition): string {
  if (node.type === FOLDED) return t("group.count", { count: Number(node.parameters.count) });
  if (definition === undefined) return "";
  if (definition === null) return t("editor.unknownType");
  const type = definition.display_name;
  const url = node.parameters.url ?? node.parameters.path;
  if (typeof url === "string" && url && !url.startsWith("=")) return url.replace(/^https?:\/\//, "");
  const said = WORDS.map((word) => node.parameters[word]).find((value) => typeof value === "string" && value !== "" && !value.startsWith("="));
  return typeof said === "string" && node.name.startsWith(type) ? said : type;
}
