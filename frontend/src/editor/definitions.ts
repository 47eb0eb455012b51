import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { api } from "../api/api";
import { ApiError } from "../api/client";
import type { NodeDefinition } from "../forms/definition";
import { type Ports, portsOf } from "../graph/ports";
import type { GraphNode } from "../graph/document";
import { FOLDED } from "../graph/groups";
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
  const nodes = useEditor((state) => state.history.graph.nodes);
  const types = useMemo(() => [...new Set(Object.values(nodes).map((node) => node.type))].sort().join("\n"), [nodes]);
  useEffect(() => {
    for (const type of types.split("\n").filter(Boolean)) {
      if (type in store.getState().definitions) continue;
      void queries.query(definitionQuery(type)).then((definition) => {
        store.setState(({ definitions }) => ({ definitions: { ...definitions, [type]: definition } }));
      });
    }
  }, [types, store, queries]);
}

/** A folded group has a port for each of its nodes' ports that a connection crosses its border at. */
function foldedPorts({ parameters: { inputs, outputs } }: GraphNode): Ports {
  const plain = (all: unknown) => (Array.isArray(all) ? all.map(() => "") : []);
  return { inputs: plain(inputs), outputs: plain(outputs) };
}

interface KnownPorts {
  definition: NodeDefinition | null | undefined;
  version: number;
  onError: GraphNode["onError"];
  ports: Ports;
}

const known = new WeakMap<GraphNode["parameters"], KnownPorts>();

/** The ports of a node, worked out once for its parameters and definition, wherever it lies. */
export function portsFor(node: GraphNode, definition: NodeDefinition | null | undefined): Ports {
  const held = known.get(node.parameters);
  if (held && held.definition === definition && held.version === node.typeVersion && held.onError === node.onError) return held.ports;
  const ports = node.type === FOLDED ? foldedPorts(node) : portsOf(node, definition ?? undefined);
  known.set(node.parameters, { definition, version: node.typeVersion, onError: node.onError, ports });
  return ports;
}

export const useCatalogue = () => useQuery({ queryKey: ["catalogue"], queryFn: api.nodes, ...FOREVER });
