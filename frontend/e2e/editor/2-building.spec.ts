import { expect, type Page, test } from "@playwright/test";
import { n8n, nothingSerious } from "../session";
import { enter, face, paste, saved } from "./workbench";

async function signIn(page: Page, path: string): Promise<void> {
  await enter(page);
  await page.goto(path);
}

async function add(page: Page, search: string, name: string): Promise<void> {
  const panel = page.getByRole("complementary", { name: "Add a node" });
  await panel.getByRole("combobox").fill(search);
  await expect(panel.getByRole("option").first()).toContainText(name);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
}

test("a workflow is built by mouse and keyboard, run, published, called, and its execution found", async ({ page, request }) => {
  await signIn(page, "/workflows");
  await page.getByRole("button", { name: "New workflow" }).click();
  await page.getByRole("button", { name: "Add the first step" }).click();
  await nothingSerious(page);
  await add(page, "webhok", "Webhook");
  await page.getByRole("textbox", { name: "Path" }).fill("journey");
  await page.getByLabel("Response mode", { exact: true }).selectOption({ label: "When the last node finishes" });
  await nothingSerious(page);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await face(page, "Webhook").hover();
  await page.getByRole("button", { name: "Add a node after Webhook" }).click();
  await add(page, "edit fields", "Edit Fields");
  await page.getByRole("button", { name: "Add a field, or drop one here" }).click();
  const field = page.getByRole("group", { name: "Field 1" });
  await field.getByLabel("Name").fill("answer");
  await field.getByRole("textbox", { name: "Value" }).fill("{{ 40 + 2 }}");
  await expect(field.getByLabel("Result")).toHaveText("42");
  await page.keyboard.press("Escape");
  if (await page.getByRole("dialog").count()) await page.getByRole("button", { name: "Close" }).click();
  await expect(page.locator(".react-flow__edge")).toHaveCount(1);

  await page.getByLabel("Name", { exact: true }).fill("Journey");
  await saved(page);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('[data-node="Edit Fields"][data-status="success"]')).toBeVisible();
  await nothingSerious(page);

  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await expect(page.locator(".top .status")).toHaveText("Published");
  const answer = await request.get("/webhook/journey");
  expect(await answer.json()).toMatchObject({ answer: "42" });

  await page.getByRole("link", { name: "Workflows" }).click();
  await page.getByRole("link", { name: "Executions" }).click();
  const run = page.getByRole("row", { name: /Journey.*Webhook/ });
  await expect(run).toContainText("Succeeded");
  await run.getByRole("link", { name: "Journey" }).click();
  await face(page, "Edit Fields").dblclick();
  await expect(page.getByRole("region", { name: "Output", exact: true })).toContainText("42");
});

test("a draft listens for one test call, which lights up on the canvas", async ({ page, request }) => {
  await signIn(page, "/workflows/new");
  await expect(page.getByText("Add the first step")).toBeVisible();
  const nodes = [
    { id: "1", name: "Hook", type: "n8n-nodes-base.webhook", typeVersion: 2, position: [0, 0], webhookId: "w", parameters: { path: "listens", responseMode: "lastNode" } },
    { id: "2", name: "Mark", type: "n8n-nodes-base.noOp", typeVersion: 1, position: [220, 0], parameters: {} },
  ];
  await paste(page, n8n("Listens", nodes, { Hook: { main: [[{ node: "Mark", type: "main", index: 0 }]] } }));
  await saved(page);
  await page.getByRole("button", { name: "Listen" }).click();
  await expect(page.getByRole("button", { name: "Stop listening" })).toBeVisible();
  expect((await request.get("/webhook-test/listens?n=1")).status()).toBe(200);
  await expect(page.locator('[data-node="Mark"][data-status="success"]')).toBeVisible();
  await expect(page.getByRole("button", { name: "Stop listening" })).toHaveCount(0);
  expect((await request.get("/webhook-test/listens?n=2")).status()).toBe(404);
});

test("n8n JSON is pasted, and every change can be undone and redone", async ({ page }) => {
  await signIn(page, "/workflows/new");
  await expect(page.getByText("Add the first step")).toBeVisible();
  const nodes = [
    { id: "1", name: "Start", type: "n8n-nodes-base.manualTrigger", typeVersion: 1, position: [0, 0], parameters: {} },
    { id: "2", name: "Mark", type: "n8n-nodes-base.noOp", typeVersion: 1, position: [220, 0], parameters: { note: "={{ $('Start').item.json.x }}" } },
  ];
  await paste(page, n8n("Pasted", nodes, { Start: { main: [[{ node: "Mark", type: "main", index: 0 }]] } }));
  await expect(face(page, "Mark")).toBeVisible();
  await paste(page, "no workflow");
  await expect(page.getByText("The clipboard holds no workflow.")).toBeVisible();

  await face(page, "Start").click();
  await page.keyboard.press("F2");
  await page.getByLabel("Name of the node").fill("Begin");
  await page.keyboard.press("Enter");
  await expect(face(page, "Begin")).toBeVisible();
  await face(page, "Mark").click();
  await page.keyboard.press("d");
  await expect(face(page, "Mark")).toHaveClass(/disabled/);
  await page.keyboard.press("Delete");
  await expect(face(page, "Mark")).toHaveCount(0);

  for (let step = 0; step < 4; step++) await page.keyboard.press("Control+z");
  await expect(page.locator(".face")).toHaveCount(0);
  for (let step = 0; step < 3; step++) await page.keyboard.press("Control+Shift+z");
  await expect(face(page, "Mark")).toHaveClass(/disabled/);
  await expect(face(page, "Begin")).toBeVisible();
  const copied = await page.evaluate(() => {
    const event = new ClipboardEvent("copy", { clipboardData: new DataTransfer(), bubbles: true });
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "a", ctrlKey: true, bubbles: true }));
    return new Promise<string>((resolve) => requestAnimationFrame(() => { document.dispatchEvent(event); resolve(event.clipboardData?.getData("text/plain") ?? ""); }));
  });
  expect(copied).toContain("$('Begin').item.json.x");
  await saved(page);
});

test("a change elsewhere is seen as a conflict", async ({ page, context }) => {
  await signIn(page, "/workflows");
  await page.getByRole("link", { name: "Pasted" }).or(page.getByRole("link", { name: "New workflow" })).first().click();
  await expect(page.locator(".face").first()).toBeVisible();
  await saved(page);
  const id = page.url().split("/").at(-1) ?? "";
  const other = await context.newPage();
  await page.route(`**/api/v1/workflows/${id}`, (route) => route.request().method() === "GET" ? route.abort() : route.continue());
  await other.goto(`/workflows/${id}`);
  await other.getByLabel("Name", { exact: true }).fill("Theirs");
  await saved(other);
  await page.getByLabel("Name", { exact: true }).fill("Mine");
  await expect(page.getByText("Someone else has changed this workflow")).toBeVisible();
  await page.unroute(`**/api/v1/workflows/${id}`);
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.getByRole("dialog")).toContainText("Yours is called “Mine”");
  await page.getByRole("button", { name: "Keep mine" }).click();
  await saved(page);
});
