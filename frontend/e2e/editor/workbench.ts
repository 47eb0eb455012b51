import { type APIRequestContext, type BrowserContext, expect, type Locator, type Page } from "@playwright/test";
import { owner } from "../session";

export interface NodeJson {
  id: string;
  name: string;
  type: string;
  typeVersion: number;
  position: [number, number];
  parameters: Record<string, unknown>;
}

export interface DocumentJson {
  name: string;
  nodes: NodeJson[];
  connections: Record<string, { main: { node: string; type: string; index: number }[][] }>;
  settings?: Record<string, unknown>;
  pinData?: Record<string, unknown>;
}

interface Answer<T> {
  data: T;
}

/** Signs the page's browser in, as the owner of the installation (made by the first call); returns an access token. */
export async function enter(page: Page): Promise<string> {
  const setup = (await (await page.request.get("/api/v1/auth/setup")).json()) as Answer<{ needs_owner: boolean }>;
  const path = setup.data.needs_owner ? "register" : "login";
  const answer = await page.request.post(`/api/v1/auth/${path}`, { data: { ...owner, first_name: "Ada", last_name: "L" } });
  expect(answer.ok(), await answer.text()).toBe(true);
  return ((await answer.json()) as Answer<{ access_token: string }>).data.access_token;
}

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

/** Stores a workflow; returns its id. */
export async function store(request: APIRequestContext, token: string, document: DocumentJson): Promise<string> {
  const answer = await request.post("/api/v1/workflows", { data: document, ...bearer(token) });
  expect(answer.ok(), await answer.text()).toBe(true);
  return ((await answer.json()) as Answer<{ id: string }>).data.id;
}

/** The stored draft. */
export async function stored(request: APIRequestContext, token: string, id: string): Promise<DocumentJson> {
  const answer = await request.get(`/api/v1/workflows/${id}`, bearer(token));
  expect(answer.ok(), await answer.text()).toBe(true);
  return ((await answer.json()) as Answer<DocumentJson>).data;
}

export const node = (name: string, type: string, position: [number, number], parameters: Record<string, unknown> = {}, typeVersion = 1): NodeJson =>
  ({ id: name.toLowerCase().replaceAll(" ", "-"), name, type: `n8n-nodes-base.${type}`, typeVersion, position, parameters });

/** Connections of chains of names: each to the next. */
export function chain(...names: string[]): DocumentJson["connections"] {
  return Object.fromEntries(names.slice(1).map((name, index) => [names[index] ?? "", { main: [[{ node: name, type: "main", index: 0 }]] }]));
}

const ROW = 40;

/** `count` nodes: a manual trigger that starts rows of forty, each a chain. */
export function many(count: number, name = `${count} nodes`): DocumentJson {
  const nodes = Array.from({ length: count }, (_, index) => {
    const at: [number, number] = [(index % ROW) * 220, Math.floor(index / ROW) * 120];
    if (index === 0) return node("Start", "manualTrigger", at);
    return index % 7 === 3 ? node(`Node ${index}`, "set", at, {}, 3.4) : node(`Node ${index}`, "noOp", at);
  });
  const connections: DocumentJson["connections"] = {};
  const starts = nodes.filter((_, index) => index % ROW === 0);
  for (const [index, from] of nodes.entries()) {
    const next = nodes[index + 1];
    if (next && (index + 1) % ROW !== 0) connections[from.name] = { main: [[{ node: next.name, type: "main", index: 0 }]] };
  }
  connections.Start?.main[0]?.push(...starts.slice(1).map((each) => ({ node: each.name, type: "main", index: 0 })));
  return { name, nodes, connections, settings: { executionOrder: "v1" } };
}

export const face = (page: Page, name: string): Locator => page.locator(`[data-node="${name}"]`);
export const saved = (page: Page): Promise<void> => expect(page.locator(".save.saved")).toBeVisible();

/** Opens a workflow and waits until its nodes can be seen. */
export async function open(page: Page, id: string): Promise<void> {
  await page.goto(`/workflows/${id}`);
  await expect(page.locator(".react-flow[data-nodes]:not([data-nodes='0'])")).toBeVisible();
}

/** Deletes "Last" in a second tab, which this one does not hear of, as after a lost connection, and duplicates "First" here; returns that tab. */
export async function conflict(page: Page, context: BrowserContext, id: string): Promise<Page> {
  await page.route(`**/api/v1/workflows/${id}`, (route) => (route.request().method() === "GET" ? route.abort() : route.continue()));
  const other = await context.newPage();
  await open(other, id);
  await face(other, "Last").click();
  await other.keyboard.press("Delete");
  await saved(other);

  await face(page, "First").click();
  await page.keyboard.press("d");
  await expect(page.getByText("Someone else has changed this workflow")).toBeVisible();
  return other;
}

/** Where the middle of a node's face is on the screen, whether it is an element or painted. */
export async function placeOf(page: Page, { position: [x, y] }: NodeJson): Promise<{ x: number; y: number }> {
  return page.locator(".react-flow__viewport").evaluate((viewport, [x, y]) => {
    const { a: zoom, e, f } = new DOMMatrix(getComputedStyle(viewport).transform);
    const box = viewport.closest(".react-flow")?.getBoundingClientRect() ?? { left: 0, top: 0 };
    return { x: box.left + e + (x * 1.3 + 95) * zoom, y: box.top + f + (y + 31) * zoom };
  }, [x, y] as const);
}

/** Pastes a text as the clipboard does. */
export async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate((given) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", given);
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
  }, text);
}

/** Waits until neither the view nor the nodes that are elements change any more. */
export const rested = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const look = () => `${document.querySelector<HTMLElement>(".react-flow__viewport")?.style.transform ?? ""} ${document.querySelectorAll(".face").length}`;
    for (let [same, before] = [0, look()]; same < 20; ) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      same = look() === before ? same + 1 : 0;
      before = look();
    }
  });

/** Draws a rectangle around what lies between two nodes of a grid, four columns and two rows; a point in it with no node. */
export async function mark(page: Page, one: NodeJson | undefined, other: NodeJson | undefined): Promise<{ x: number; y: number }> {
  if (!one || !other) throw new Error("no nodes");
  const [from, to] = [await placeOf(page, one), await placeOf(page, other)];
  const [width, height] = [(to.x - from.x) / 3, to.y - from.y];
  await page.mouse.move(from.x - width / 2, from.y - height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x + width / 2, to.y + height / 2, { steps: 5 });
  await page.mouse.up();
  return { x: from.x + width / 2, y: from.y + height / 2 };
}
