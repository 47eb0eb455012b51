import type { NodeDefinition, NodeSummary } from "../forms/definition";
import type { Item, WorkflowDocument } from "../graph/document";
import { ApiError, close, list, open, query, renew, request, token } from "./client";
import type {
  ApiKey,
  Counts,
  Credential,
  CredentialType,
  Evaluation,
  Execution,
  ExecutionData,
  LookedUpPage,
  Me,
  NewApiKey,
  OpenCredential,
  OpenSession,
  Setup,
  Several,
  Source,
  StoredWorkflow,
  Tag,
  Tick,
  Variable,
  Verdict,
  Version,
  Webhook,
  Workflow,
} from "./types";

export interface Registration {
  email: string;
  password: string;
  first_name: string;
  last_name: string;
}

export interface Run {
  start_node?: string;
  destination_node?: string;
  run_data?: Record<string, Item[][][]>;
  pin_data?: Record<string, Item[]>;
}

export interface EvaluationInput {
  project_id: string;
  expression: string;
  items: Item[];
  item_index: number;
  run_data?: Record<string, Item[][][]>;
  source?: (Source | null)[];
  sources?: Record<string, ((Source | null)[] | null)[]>;
}

export interface LookUpInput {
  loader: string;
  version: number;
  parameters: Record<string, unknown>;
  credentials: Record<string, unknown>;
  search: string;
  cursor: string;
  project_id: string;
}

export interface ExecutionFilter {
  status?: string;
  mode?: string;
  workflow_id?: string;
  after?: string;
  /** `key:value`; all must hold. */
  custom_data?: string[];
}

/** Every call of the page, by group. */
export const api = {
  setup: () => request<Setup>("GET", "/auth/setup"),
  register: (body: Registration) => open("/auth/register", body),
  login: (body: { email: string; password: string; code?: string }) => open("/auth/login", body),
  logout: close,
  /** The first call of the page: without a token it asks for one at once, not after a refusal. */
  me: async () => {
    if (!token() && !(await renew())) throw new ApiError(401, "UNAUTHENTICATED", "");
    return request<Me>("GET", "/auth/me");
  },
  updateMe: (body: { first_name: string; last_name: string }) => request<Me>("PATCH", "/auth/me", body),
  changePassword: (body: { current_password: string; new_password: string }) =>
    request("POST", "/auth/change-password", body),
  sessions: () => request<OpenSession[]>("GET", "/auth/sessions"),
  endSession: (id: string) => request("DELETE", `/auth/sessions/${id}`),
  twoFactor: () => request<{ enabled: boolean; recovery_codes_left: number }>("GET", "/auth/2fa"),
  setUpTwoFactor: () => request<{ secret: string; uri: string }>("POST", "/auth/2fa/setup", {}),
  enableTwoFactor: (code: string) => request<{ recovery_codes: string[] }>("POST", "/auth/2fa/enable", { code }),
  disableTwoFactor: (code: string) => request("POST", "/auth/2fa/disable", { code }),
  apiKeys: () => request<ApiKey[]>("GET", "/api-keys"),
  createApiKey: (body: NewApiKey) => request<ApiKey & { key: string }>("POST", "/api-keys", body),
  deleteApiKey: (id: string) => request("DELETE", `/api-keys/${id}`),

  workflows: (page: number, search = "", limit = 50, filter: { active?: string; tag?: string; archived?: string } = {}) =>
    list<Workflow>(`/workflows?${query({ limit, page, search, ...filter })}`),
  archiveWorkflows: (ids: string[], archived: boolean) => request<Several>("POST", "/workflows/archive", { ids, archived }),
  deleteWorkflows: (ids: string[]) => request<Several>("POST", "/workflows/delete", { ids }),
  restoreWorkflows: (ids: string[]) => request<Several>("POST", "/workflows/restore", { ids }),
  tagWorkflows: (ids: string[], add: string[], remove: string[]) => request<Several>("POST", "/workflows/tag", { ids, add, remove }),
  tags: () => request<Tag[]>("GET", "/tags"),
  createTag: (name: string) => request<Tag>("POST", "/tags", { name }),
  renameTag: (name: string, next: string) => request<Tag>("PUT", `/tags/${encodeURIComponent(name)}`, { name: next }),
  deleteTag: (name: string) => request("DELETE", `/tags/${encodeURIComponent(name)}`),
  workflow: (id: string) => request<StoredWorkflow>("GET", `/workflows/${id}`),
  createWorkflow: (document: WorkflowDocument, project = "") => request<StoredWorkflow>("POST", `/workflows?${query({ project_id: project })}`, document),
  importWorkflow: (document: unknown) => request<Workflow>("POST", "/workflows/import", document),
  saveWorkflow: (id: string, document: WorkflowDocument, version: string) =>
    request<StoredWorkflow>("PATCH", `/workflows/${id}`, document, version ? { "If-Match": `"${version}"` } : {}),
  duplicateWorkflow: (id: string, name: string) => request<Workflow>("POST", `/workflows/${id}/duplicate`, { name }),
  deleteWorkflow: (id: string) => request("DELETE", `/workflows/${id}`),
  restoreWorkflow: (id: string) => request<Workflow>("POST", `/workflows/${id}/restore`),
  activate: (id: string) => request<StoredWorkflow>("POST", `/workflows/${id}/activate`, {}),
  deactivate: (id: string) => request<StoredWorkflow>("POST", `/workflows/${id}/deactivate`, {}),
  versions: (id: string) => request<Version[]>("GET", `/workflows/${id}/versions`),
  version: (id: string, version: number) => request<Version>("GET", `/workflows/${id}/versions/${version}`),
  keepVersion: (id: string) => request<Version>("POST", `/workflows/${id}/versions`, {}),
  restoreVersion: (id: string, version: number) =>
    request<StoredWorkflow>("POST", `/workflows/${id}/versions/${version}/restore`),
  execute: (id: string, run: Run = {}) => request<Execution>("POST", `/workflows/${id}/execute`, run),

  executions: (page: number, filter: ExecutionFilter = {}, limit = 50) =>
    list<Execution>(`/executions?${query({ limit, page, ...filter })}`),
  counts: (range: { after: string; step: number; utc_offset: number; workflow_id: string }) => request<Counts>("GET", `/executions/counts?${query(range)}`),
  execution: (id: string) => request<ExecutionData>("GET", `/executions/${id}?include=data`),
  stop: (id: string) => request<Execution>("POST", `/executions/${id}/stop`, {}),
  retry: (id: string, options: { newest_version?: boolean; from_start?: boolean } = {}) =>
    request<Execution>("POST", `/executions/${id}/retry`, options),
  stopExecutions: (ids: string[]) => request<Several>("POST", "/executions/stop", { ids }),
  retryExecutions: (ids: string[]) => request<Several>("POST", "/executions/retry", { ids }),
  deleteExecutions: (ids: string[]) => request<Several>("POST", "/executions/delete", { ids }),
  deleteExecution: (id: string) => request("DELETE", `/executions/${id}`),

  nodes: () => request<NodeSummary[]>("GET", "/nodes"),
  node: (type: string) => request<NodeDefinition>("GET", `/nodes/${encodeURIComponent(type)}`),
  options: (type: string, body: LookUpInput, signal?: AbortSignal) => request<LookedUpPage>("POST", `/nodes/${encodeURIComponent(type)}/options`, body, {}, signal),
  evaluate: (body: EvaluationInput, signal?: AbortSignal) => request<Evaluation>("POST", "/expressions/evaluate", body, {}, signal),

  credentials: (type = "") => list<Credential>(`/credentials?${query({ limit: 250, type })}`),
  credentialTypes: () => request<CredentialType[]>("GET", "/credential-types"),
  createCredential: (body: { name: string; type: string; data: Record<string, unknown> }) =>
    request<Credential>("POST", "/credentials", body),
  updateCredential: (id: string, body: { name?: string; data?: Record<string, unknown> }) =>
    request<Credential>("PATCH", `/credentials/${id}`, body),
  credential: (id: string) => request<OpenCredential>("GET", `/credentials/${id}`),
  testCredential: (id: string, data: Record<string, unknown>) => request<Verdict>("POST", `/credentials/${id}/test`, { data }),
  testUnsaved: (body: { type: string; data: Record<string, unknown> }) => request<Verdict>("POST", "/credentials/test", body),
  authorize: (id: string) => request<{ url: string }>("GET", `/credentials/${id}/oauth2/authorize`),
  deleteCredential: (id: string) => request("DELETE", `/credentials/${id}`),

  variables: () => request<Variable[]>("GET", "/variables"),
  createVariable: (body: Pick<Variable, "key" | "value" | "is_secret">) => request<Variable>("POST", "/variables", body),
  updateVariable: (key: string, body: Pick<Variable, "value" | "is_secret">) =>
    request<Variable>("PUT", `/variables/${key}`, body),
  deleteVariable: (key: string) => request("DELETE", `/variables/${key}`),

  webhooks: () => request<Webhook[]>("GET", "/webhooks"),
  listen: (workflow: string) => request<{ webhooks?: Webhook[] }>("POST", `/workflows/${workflow}/test-webhook`, {}),
  stopListening: (workflow: string) => request("DELETE", `/workflows/${workflow}/test-webhook`),
  schedules: () => request<Tick[]>("GET", "/schedules?limit=6"),
};

/** The document that an execution ran; null where its version is gone. */
export async function documentOf(execution: Execution): Promise<WorkflowDocument | null> {
  const versions = await api.versions(execution.workflow_id);
  const number = versions.find((version) => version.id === execution.version_id)?.version;
  return number === undefined ? null : (await api.version(execution.workflow_id, number)).document;
}
