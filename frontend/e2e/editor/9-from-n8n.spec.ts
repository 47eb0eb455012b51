import { createHmac } from "node:crypto";
import { expect, type Page, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { type DocumentJson, enter, face, type NodeJson, saved, stored } from "./workbench";

// What n8n puts on the clipboard: nodes with its own ids, credentials that only its installation has, notes, a node of the
// community's that is not installed here, pinned data, and `meta`.
const to = (node: string, index = 0) => ({ node, type: "main", index });
const large = { id: "5f0c", leftValue: "={{ $json.total }}", rightValue: 100, operator: { type: "number", operation: "gte" } };
const copied = {
  nodes: [
    { parameters: {}, type: "n8n-nodes-base.manualTrigger", typeVersion: 1, position: [-640, 80], id: "0d1c6f1e-6a55-4c39-a6a5-3a3ad6a86a01", name: "When clicking ‘Execute workflow’" },
    {
      parameters: { assignments: { assignments: [{ id: "7c1", name: "total", value: 130, type: "number" }, { id: "7c2", name: "customer", value: "={{ 'Ada' + ' L.' }}", type: "string" }] }, options: {} },
      type: "n8n-nodes-base.set", typeVersion: 3.4, position: [-420, 80], id: "0d1c6f1e-6a55-4c39-a6a5-3a3ad6a86a02", name: "Order", notesInFlow: true, notes: "The shop's order",
    },
    {
      parameters: { conditions: { options: { caseSensitive: true, leftValue: "", typeValidation: "strict", version: 2 }, conditions: [large], combinator: "and" }, options: {} },
      type: "n8n-nodes-base.if", typeVersion: 2.2, position: [-200, 80], id: "0d1c6f1e-6a55-4c39-a6a5-3a3ad6a86a03", name: "Large?",
    },
    {
      parameters: { claims: { subject: "={{ $('Order').item.json.customer }}" }, options: {} },
      type: "n8n-nodes-base.jwt", typeVersion: 1, position: [20, -20], id: "0d1c6f1e-6a55-4c39-a6a5-3a3ad6a86a04", name: "Sign",
      retryOnFail: true, maxTries: 4, credentials: { jwtAuth: { id: "kq8WvJ2nX0aYt3Zb", name: "Shop key" } },
    },
    {
      parameters: { channel: { __rl: true, value: "C024", mode: "list", cachedResultName: "orders" }, text: "={{ $json.customer }}", otherOptions: {} },
      type: "@acme/n8n-nodes-telegraph.telegraph", typeVersion: 2.1, position: [20, 180], id: "0d1c6f1e-6a55-4c39-a6a5-3a3ad6a86a05", name: "Tell someone",
      webhookId: "b9b5e0f6", onError: "continueRegularOutput", credentials: { telegraphApi: { id: "a1", name: "Telegraph" } },
    },
    { parameters: { jsCode: "return $input.all();" }, type: "n8n-nodes-base.code", typeVersion: 2, position: [240, 180], id: "0d1c6f1e-6a55-4c39-a6a5-3a3ad6a86a06", name: "Later", disabled: true },
    { parameters: { content: "## Orders\n**Large** ones are signed.", height: 340, width: 400, color: 5 }, type: "n8n-nodes-base.stickyNote", typeVersion: 1, position: [-480, -80], id: "0d1c6f1e-6a55-4c39-a6a5-3a3ad6a86a07", name: "Sticky Note" },
    { parameters: { content: "Small ones" }, type: "n8n-nodes-base.stickyNote", typeVersion: 1, position: [20, 340], id: "0d1c6f1e-6a55-4c39-a6a5-3a3ad6a86a08", name: "Sticky Note1" },
  ],
  connections: {
    "When clicking ‘Execute workflow’": { main: [[to("Order")]] },
    Order: { main: [[to("Large?")]] },
    "Large?": { main: [[to("Sign")], [to("Tell someone")]] },
    "Tell someone": { main: [[to("Later")]] },
  },
  pinData: { Later: [{ json: { told: true } }] },
  meta: { templateCredsSetupCompleted: true, instanceId: "8d2c1d0e6f" },
};

/** What a document means: ids are its own, and only where nodes lie to one another counts. */
function meaning({ nodes, connections, pinData }: Pick<DocumentJson, "nodes" | "connections" | "pinData">): unknown {
  const [left, top] = [0, 1].map((axis) => Math.min(...nodes.map((each) => each.position[axis as 0 | 1])));
  const plain = (each: NodeJson) => ({ ...each, id: "", position: [each.position[0] - (left ?? 0), each.position[1] - (top ?? 0)] });
  return { nodes: Object.fromEntries(nodes.map((each) => [each.name, plain(each)])), connections, pinData };
}

/** The text that Ctrl+C leaves on the clipboard when everything is chosen. */
async function copyAll(page: Page): Promise<DocumentJson> {
  await page.locator(".react-flow__pane").click({ position: { x: 8, y: 200 } });
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Control+c");
  return JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as DocumentJson;
}

test("a workflow copied from n8n says what it lacks, gets its credential, runs, and is copied out as it came", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const token = await enter(page);
  await page.goto("/workflows/new");
  await expect(page.getByText("Add the first step")).toBeVisible();
  await page.evaluate((text) => navigator.clipboard.writeText(text), JSON.stringify(copied, null, 2));
  await page.keyboard.press("Control+v");
  for (const each of copied.nodes) if (!each.name.startsWith("Sticky")) await expect(face(page, each.name)).toBeInViewport();
  await expect(page.locator(".note")).toHaveCount(2);
  await expect(page.locator(".note strong")).toHaveText("Large");
  await saved(page);
  expect(meaning(await copyAll(page))).toEqual(meaning(copied as unknown as DocumentJson));

  await expect(face(page, "Sign").locator(".mark.issue")).toBeVisible();
  await expect(face(page, "Tell someone")).toHaveClass(/unknown/);
  await page.getByRole("button", { name: "3 issues" }).click();
  for (const text of ["There is no credential 'Shop key' here.", "There is no credential 'Telegraph' here.", "telegraph"]) {
    await expect(page.getByRole("menuitem").filter({ hasText: text }).first()).toBeVisible();
  }
  await nothingSerious(page);
  const dialog = page.getByRole("dialog", { name: "Sign" });
  await page.getByRole("menuitem", { name: /Shop key/ }).click();
  const credential = dialog.getByLabel(/Credential · JWT/);
  await expect(credential.locator("option:checked")).toHaveText("Shop key (not here)");
  const named = `Shop key ${Date.now()}`;
  await credential.selectOption("new");
  const form = page.getByRole("dialog", { name: "New credential" });
  await form.getByLabel("Name", { exact: true }).fill(named);
  await form.getByLabel("Secret").fill("a key of the shop");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(credential.locator("option:checked")).toHaveText(named);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "2 issues" })).toBeVisible();

  await face(page, "Tell someone").dblclick();
  await expect(page.getByRole("dialog", { name: "Tell someone" })).toContainText("The node type @acme/n8n-nodes-telegraph.telegraph is not installed.");
  await nothingSerious(page);
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('[data-node="Sign"][data-status="success"]')).toBeVisible();
  await expect(page.locator(".run-state").getByText("Succeeded")).toBeVisible();
  await face(page, "Sign").dblclick();
  const output = dialog.getByRole("region", { name: "Output", exact: true });
  await output.getByRole("button", { name: "JSON" }).click();
  const [, head = "", body = "", signature = ""] = /"token": "([\w-]+)\.([\w-]+)\.([\w-]+)"/.exec(await output.locator("pre").first().innerText()) ?? [];
  expect(createHmac("sha256", "a key of the shop").update(`${head}.${body}`).digest("base64url")).toBe(signature);
  expect(JSON.parse(Buffer.from(body, "base64url").toString())).toMatchObject({ sub: "Ada L." });
  await page.keyboard.press("Escape");

  const draft = await stored(page.request, token, page.url().split("/").at(-1) ?? "");
  const chosen = (draft.nodes.find((each) => each.name === "Sign") as NodeJson & { credentials: Record<string, unknown> }).credentials;
  const fixed = copied.nodes.map((each) => (each.name === "Sign" ? { ...each, credentials: chosen } : each));
  expect(chosen).toMatchObject({ jwtAuth: { name: named } });
  expect(meaning(await copyAll(page))).toEqual(meaning({ ...copied, nodes: fixed } as unknown as DocumentJson));
});
