import type { NodeDefinition } from "../forms/definition";
import { type Graph, type GraphNode, STICKY_NOTE } from "../graph/document";
import { t } from "../i18n";
import { nameOfKind } from "./faces";

/** What a screen reader says of a node: its name, what it does, and where its connections lead. */
export function spoken(graph: Graph, node: GraphNode, definition: NodeDefinition | null | undefined): string {
  const names = (ids: readonly string[]) => [...new Set(ids)].flatMap((id) => graph.nodes[id]?.name ?? []).join(", ");
  const from = names(graph.edges.filter((edge) => edge.to === node.id).map((edge) => edge.from));
  const to = names(graph.edges.filter((edge) => edge.from === node.id).map((edge) => edge.to));
  const kind = node.type === STICKY_NOTE ? t("editor.note") : nameOfKind(node, definition);
  const parts = [node.name, kind === node.name ? "" : kind, node.disabled ? t("editor.disabled") : "", from && t("editor.comesFrom", { from }), to && t("editor.leadsTo", { to })];
  return parts.filter(Boolean).join(", ");
}
