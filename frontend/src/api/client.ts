import { t } from "../i18n";
import { bytes } from "../shell/format";
import type { Page, Session } from "./types";

/** A failure that the API explained. `details` as the endpoint says (both versions of a conflict, fields). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
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
  error?: { code: string; message: string; details?: Record<string, unknown> };
}

type Headers = Record<string, string>;

let accessToken = "";
let renewal: Promise<boolean> | null = null;

/** The current access token; kept in memory only, so that no script of another page can read it later. */
export const token = (): string => accessToken;

async function send(method: string, path: string, body?: unknown, more: Headers = {}, signal?: AbortSignal): Promise<Response> {
  const headers: Headers = { ...more };
  if (accessToken) headers.Authorization = `Bearer ${accessToken}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const init: RequestInit = { method, headers, ...(signal && { signal }) };
  if (body !== undefined) init.body = JSON.stringify(body);
  try {
    return await fetch(`/api/v1${path}`, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "OFFLINE", t("error.offline"));
  }
}

async function call<T>(method: string, path: string, body?: unknown, headers?: Headers, signal?: AbortSignal): Promise<Answer<T>> {
  const response = await send(method, path, body, headers, signal);
  const answer = await response
    .json()
    .then((json: unknown) => json as Answer<T>)
    .catch(() => null);
  if (!answer?.success) {
    const { code = "", message = response.statusText, details = {} } = answer?.error ?? {};
    throw new ApiError(response.status, code, message, details);
  }
  return answer;
}

/** Calls; where the access token has run out, renews it by the refresh cookie once and calls again. */
async function renewed<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401 || !(await renew())) throw error;
    return attempt();
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

/** Starts a session: registers or signs in, and keeps the access token. */
export async function open(path: "/auth/register" | "/auth/login", body: unknown): Promise<void> {
  accessToken = (await call<Session>("POST", path, body)).data.access_token;
}

export async function close(): Promise<void> {
  await call("POST", "/auth/logout", {});
  accessToken = "";
}

export async function request<T>(method: string, path: string, body?: unknown, headers?: Headers, signal?: AbortSignal): Promise<T> {
  return (await renewed(() => call<T>(method, path, body, headers, signal))).data;
}

export async function list<T>(path: string): Promise<Page<T>> {
  const answer = await renewed(() => call<T[]>("GET", path));
  const { page = 1, total = answer.data.length, total_pages = 1 } = answer.pagination ?? {};
  return { rows: answer.data, total, page, pages: total_pages };
}

/** A stored file. `first`: only so many bytes of its beginning; `most`: nothing of one that is larger. */
export function file(path: string, { first, most }: { first?: number; most?: number } = {}): Promise<Blob> {
  return renewed(async () => {
    const response = await send("GET", path, undefined, first === undefined ? {} : { Range: `bytes=0-${first - 1}` });
    // there is nothing of an empty file that a range could name
    if (response.status === 416) return new Blob();
    if (!response.ok) throw new ApiError(response.status, "", response.statusText);
    if (most !== undefined && Number(response.headers.get("Content-Length")) > most) {
      await response.body?.cancel();
      throw new ApiError(413, "TOO_LARGE", t("data.tooLarge", { size: bytes(most) }));
    }
    return response.blob();
  });
}

/** A query string of the parameters that are set; a list's members each under its name. */
export function query(parameters: Record<string, string | number | string[] | undefined>): string {
  const set = Object.entries(parameters).flatMap(([key, value]) => (Array.isArray(value) ? value : [value]).map((each) => [key, each] as const));
  return new URLSearchParams(set.flatMap(([key, value]) => (value === undefined || value === "" ? [] : [[key, String(value)]]))).toString();
}
