/** What the REST API answers, as far as the pages read it. Times are ISO 8601 in UTC. */

export type ExecutionStatus = "queued" | "running" | "waiting" | "success" | "error" | "cancelled";

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
  name: string;
  is_active: boolean;
  node_count: number;
  issues: Issue[];
  version: number;
  updated_at: string | null;
}

export interface NodeError {
  message: string;
  node?: string;
  code?: string;
}

export interface Execution {
  id: string;
  workflow_id: string;
  status: ExecutionStatus;
  mode: string;
  created_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  execution_time_ms: number;
  last_node: string;
  error: NodeError | null;
}

export interface Page<T> {
  rows: T[];
  total: number;
  page: number;
  pages: number;
}
