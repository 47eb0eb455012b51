/** Node definitions as the API gives them: see the node SDK's `definition.py` for what each member means. */

export type PropertyType =
  | "string"
  | "number"
  | "boolean"
  | "options"
  | "multiOptions"
  | "collection"
  | "fixedCollection"
  | "json"
  | "dateTime"
  | "color"
  | "filter"
  | "assignmentCollection"
  | "resourceLocator"
  | "resourceMapper"
  | "workflowSelector"
  | "credentials"
  | "credentialsSelect"
  | "code"
  | "notice"
  | "hidden";

export type Conditions = Record<string, unknown[]>;

export interface Choice {
  name: string;
  value: string | number | boolean;
  description?: string;
}

export interface Group {
  name: string;
  display_name: string;
  fields: Property[];
}

export interface Property {
  name: string;
  type: PropertyType;
  display_name: string;
  description?: string;
  default?: unknown;
  required?: boolean;
  no_expression?: boolean;
  multiple?: boolean;
  secret?: boolean;
  placeholder?: string;
  loader?: string;
  language?: "" | "javascript" | "python" | "sql" | "html" | "json";
  rows?: number;
  options?: Choice[];
  fields?: Property[];
  groups?: Group[];
  show?: Conditions;
  hide?: Conditions;
}

export interface PortRule {
  when?: Conditions;
  labels?: string[];
  number_of?: string;
  list_of?: string;
  label_key?: string;
  default?: number;
  extra?: { when: Conditions; label: string; label_from?: string }[];
}

export interface CredentialUse {
  type: string;
  required?: boolean;
  show?: Conditions;
}

export interface VersionGroup {
  versions: number[];
  inputs: PortRule[];
  outputs: PortRule[];
  credentials?: CredentialUse[];
  properties?: Property[];
}

export interface NodeSummary {
  type: string;
  aliases: string[];
  display_name: string;
  description: string;
  categories: string[];
  keywords: string[];
  trigger: string;
  versions: number[];
  default_version: number;
}

export interface NodeDefinition {
  type: string;
  aliases: string[];
  display_name: string;
  description: string;
  categories: string[];
  keywords?: string[];
  trigger?: string;
  default_version: number;
  executable?: boolean;
  versions: VersionGroup[];
}

/** The version group that a node is of; the newest one for a version that nobody knows. */
export const groupOf = (definition: NodeDefinition, version: number): VersionGroup | undefined =>
  definition.versions.find((group) => group.versions.includes(version)) ?? definition.versions[0];
