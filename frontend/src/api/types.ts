import type { Property } from "../forms/definition";
import type { Item, WorkflowDocument } from "../graph/document";

/** What the REST API answers, as far as the pages read it. Times are ISO 8601 in UTC. */

export type ExecutionStatus = "queued" | "running" | "waiting" | "success" | "error" | "cancelled";
export type NodeStatus = "running" | "waiting" | "success" | "error" | "cancelled";

export interface User {
  id: string;
  email: string;
  first_name: string;
  last_name: string;
  role: string;
}

export interface Project {
  id: string;
  name: string;
  kind: string;
  role: string;
}

export interface Me extends User {
  projects: Project[];
  default_project_id: string;
}

export interface Session {
  access_token: string;
  expires_in: number;
  user: User;
}

export interface OpenSession {
  id: string;
  address: string;
  user_agent: string;
  last_used_at: string;
  current: boolean;
}

export interface Setup {
  needs_owner: boolean;
  registration: "open" | "invite" | "closed";
}

export interface Issue {
  code: string;
  node: string;
  message: string;
}

export interface Workflow {
  id: string;
  project_id: string;
  name: string;
  is_active: boolean;
  node_count: number;
  issues: Issue[];
  tags: string[];
  is_archived: boolean;
  version: number;
  version_id: string;
  published_version: number;
  published_version_id: string;
  updated_at: string | null;
}

export interface Tag {
  name: string;
  workflow_count: number;
}

/** What came of a call about several things. */
export interface Several {
  done: string[];
  failed: { id: string; code: string; message: string }[];
}

export type StoredWorkflow = Workflow & WorkflowDocument;

export interface Version {
  id: string;
  version: number;
  created_at: string | null;
  created_by: string;
  document: WorkflowDocument | null;
}

export interface NodeError {
  message: string;
  description?: string;
  node?: string;
  code?: string;
  item_index?: number | null;
  parameter?: string;
  parameter_name?: string;
}

export interface Execution {
  id: string;
  workflow_id: string;
  version_id: string;
  status: ExecutionStatus;
  mode: string;
  created_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  execution_time_ms: number;
  last_node: string;
  error: NodeError | null;
  /** Texts that its nodes have kept with it. */
  custom_data: Record<string, string>;
}

/** Executions that began in a time. Statuses without any may be left out. */
export interface Counts {
  totals: Record<string, number>;
  buckets: { start: string; counts: Record<string, number> }[];
  workflows: { workflow_id: string; counts: Record<string, number>; mean_ms: number }[];
}

/** What an input came from: node, its output, its run. */
export type Source = [node: string, output: number, run: number];

export interface NodeRun {
  node: string;
  run_index: number;
  status: NodeStatus;
  started_at: string | null;
  finished_at: string | null;
  outputs: Item[][] | null;
  error: NodeError | null;
  source: (Source | null)[] | null;
  counts: number[];
  logs: string[];
}

export interface ExecutionData extends Execution {
  node_data?: Record<string, NodeRun[]>;
}

export interface Evaluation {
  value: unknown;
  type: string;
  error?: string | { message: string };
}

/** One choice that a parameter has looked up, or a column of a resource mapper. */
export interface LookedUp {
  name: string;
  value: string | number | boolean;
  description?: string;
  url?: string;
  type?: string;
  required?: boolean;
  match?: boolean;
}

export interface LookedUpPage {
  options: LookedUp[];
  next_cursor: string | null;
}

export interface Credential {
  id: string;
  name: string;
  type: string;
  updated_at: string | null;
  /** When the service gave the tokens that it holds. */
  connected_at: string | null;
}

/** With its fields; of those that are secret the names only. `data` is null for who may not change it. */
export interface OpenCredential extends Credential {
  data: Record<string, unknown> | null;
  secret_fields: string[];
}

/** What trying a credential has shown; not `tested`: it can't be tried by itself. */
export interface Verdict {
  ok: boolean;
  tested: boolean;
  message: string;
}

export interface CredentialType {
  type: string;
  display_name: string;
  description: string;
  fields: Property[];
  usable?: boolean;
  sign_in?: "oauth1" | "oauth2";
  callback_url?: string;
}

export interface Variable {
  key: string;
  value: string;
  type: string;
  is_secret: boolean;
}

export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  expires_at: string | null;
  last_used_at: string | null;
  created_at: string | null;
}

export interface NewApiKey {
  name: string;
  scopes: string[];
  expires_at?: string;
}

export interface Webhook {
  workflow_id: string;
  node: string;
  method: string;
  path: string;
  url: string;
}

export interface Tick {
  workflow_id: string;
  node: string;
  at?: string | null;
  next_at?: string | null;
}

export interface Page<T> {
  rows: T[];
  total: number;
  page: number;
  pages: number;
}
