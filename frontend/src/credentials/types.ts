import { useQuery } from "@tanstack/react-query";
import { api } from "../api/api";

/** The kinds of credentials; installed with the services, so asked for once. */
export const useCredentialTypes = () => useQuery({ queryKey: ["credential types"], queryFn: api.credentialTypes, staleTime: Infinity });

/** How a kind is called; its id while that is not known. */
export function useTypeName(): (type: string) => string {
  const { data } = useCredentialTypes();
  return (type) => data?.find((each) => each.type === type)?.display_name ?? type;
}
