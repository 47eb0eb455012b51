import type { Execution, Me, Page, Session, Setup, Workflow } from "./types";

/** A failure that the API explained. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface Pagination {
  page: number;
  total: number;
  total_pages: number;
}

interface Answer<T> {
  success: boolean;
  data: T;
  pagination?: Pagination;
  error?: { code: string; message: string };
}

let accessToken = "";
let renewal: Promise<boolean> | null = null;

/** The current access token; kept in memory only, so that no script of another page can read it later. */
export const token = (): string => accessToken;

async function call<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
  const headers: Record<string, string> = {};
  if (accessToken) headers.Authorization = `Bearer ${accessToken}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, init);
  } catch {
    throw new ApiError(0, "OFFLINE", "Weft can't be reached. Is it running?");
  }
  const answer = (await response.json()) as Answer<T>;
  if (!answer.success) {
    throw new ApiError(response.status, answer.error?.code ?? "", answer.error?.message ?? response.statusText);
  }
  return answer;
}

/** Calls; where the access token has run out, renews it by the refresh cookie once and calls again. */
async function request<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
  try {
    return await call<T>(method, path, body);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401 || !(await renew())) throw error;
    return call<T>(method, path, body);
  }
}

/** Gets a new access token by the refresh cookie. Callers at the same time share one renewal. */
export function renew(): Promise<boolean> {
  renewal ??= call<Session>("POST", "/auth/refresh", {})
    .then((answer) => {
      accessToken = answer.data.access_token;
      return true;
    })
    .catch(() => {
      accessToken = "";
      return false;
    })
    .finally(() => {
      renewal = null;
    });
  return renewal;
}

async function start(path: string, body: unknown): Promise<void> {
  accessToken = (await call<Session>("POST", path, body)).data.access_token;
}

async function list<T>(path: string): Promise<Page<T>> {
  const answer = await request<T[]>("GET", path);
  const { page = 1, total = answer.data.length, total_pages = 1 } = answer.pagination ?? {};
  return { rows: answer.data, total, page, pages: total_pages };
}

export interface Registration {
  email: string;
  password: string;
  first_name: string;
  last_name: string;
}

export const api = {
  setup: async () => (await call<Setup>("GET", "/auth/setup")).data,
  register: (body: Registration) => start("/auth/register", body),
  login: (body: { email: string; password: string }) => start("/auth/login", body),
  logout: async () => {
    await call("POST", "/auth/logout", {});
    accessToken = "";
  },
  me: async () => (await request<Me>("GET", "/auth/me")).data,
  workflows: (page: number, search: string) =>
    list<Workflow>(`/workflows?limit=50&page=${page}&search=${encodeURIComponent(search)}`),
  executions: (page: number, status: string) => list<Execution>(`/executions?limit=50&page=${page}&status=${status}`),
  importWorkflow: async (document: unknown) => (await request<Workflow>("POST", "/workflows/import", document)).data,
  execute: async (id: string) => (await request<Execution>("POST", `/workflows/${id}/execute`, {})).data,
  activate: async (id: string) => (await request<Workflow>("POST", `/workflows/${id}/activate`, {})).data,
  deactivate: async (id: string) => (await request<Workflow>("POST", `/workflows/${id}/deactivate`, {})).data,
  stop: async (id: string) => (await request<Execution>("POST", `/executions/${id}/stop`, {})).data,
  retry: async (id: string) => (await request<Execution>("POST", `/executions/${id}/retry`, {})).data,
};
