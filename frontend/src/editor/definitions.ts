import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api } from "../api/api";
import { ApiError } from "../api/client";
import type { NodeDefinition } from "../forms/definition";
import { type Ports, portsOf } from "../graph/ports";
import type { GraphNode } from "../graph/document";
import { useEditor, useEditorStore } from "./store";

const FOREVER = { staleTime: Infinity, gcTime: Infinity };

/** The full definition of a type; null for a type that isn't installed. */
export const definitionQuery = (type: string) => ({
  queryKey: ["definition", type],
  queryFn: async (): Promise<NodeDefinition | null> => {
    try {
      return await api.node(type);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  },
  ...FOREVER,
});

/** Loads the definitions of every type on the canvas into the store. */
export function useDefinitions(): void {
  const store = useEditorStore();
  const queries = useQueryClient();
  const types = useEditor((state) => [...new Set(Object.values(state.history.graph.nodes).map((node) => node.type))].sort().join("\n"));
  useEffect(() => {
    for (const type of types.split("\n").filter(Boolean)) {
      if (type in store.getState().definitions) continue;
      void queries.query(definitionQuery(type)).then((definition) => {
        store.setState(({ definitions }) => ({ definitions: { ...definitions, [type]: definition } }));
      });
    }
  }, [types, store, queries]);
}

const ports = new WeakMap<GraphNode, { definition: NodeDefinition | null | undefined; ports: Ports }>();

/** The ports of a node, worked out once per node and definition. */
export function portsFor(node: GraphNode, definition: NodeDefinition | null | undefined): Ports {
  const known = ports.get(node);
  if (known && known.definition === definition) return known.ports;
  const found = portsOf(node, definition ?? undefined);
  ports.set(node, { definition, ports: found });
  return found;
}

export const useCatalogue = () => useQuery({ queryKey: ["catalogue"], queryFn: api.nodes, ...FOREVER });
