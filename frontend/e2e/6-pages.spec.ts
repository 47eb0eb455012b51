import { expect, type Page, test } from "@playwright/test";
import { n8n, nothingSerious, signIn } from "./session";

const start = { id: "1", name: "Start", type: "n8n-nodes-base.manualTrigger", typeVersion: 1, position: [0, 0], parameters: {} };
const odd = { id: "2", name: "Odd", type: "n8n-nodes-base.noSuchThing", typeVersion: 1, position: [220, 0], parameters: {} };
const linked = { Start: { main: [[{ node: "Odd", type: "main", index: 0 }]] } };

async function pasted(page: Page, text: string): Promise<void> {
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("menuitem", { name: "From a URL or a text…" }).click();
  await page.getByLabel("URL or workflow JSON").fill(text);
  await page.getByRole("dialog").getByRole("button", { name: "Import", exact: true }).click();
}

/** Nothing wider than a small telephone. */
async function fitsNarrow(page: Page): Promise<void> {
  const before = page.viewportSize() ?? { width: 1280, height: 720 };
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await nothingSerious(page);
  await page.setViewportSize(before);
}

test("workflows are imported as text, tagged, found by tag, archived and deleted several at once", async ({ page }) => {
  const mark = `bulk ${Date.now()}`;
  await signIn(page, "/workflows");
  for (const name of ["one", "two"]) {
    await pasted(page, n8n(`${mark} ${name}`, [start], {}));
    await expect(page.getByRole("row", { name: new RegExp(`${mark} ${name}`) })).toBeVisible();
  }
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("menuitem", { name: "From a URL or a text…" }).click();
  await page.getByLabel("URL or workflow JSON").fill("http://169.254.169.254/latest/meta-data");
  await page.getByRole("dialog").getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toBeVisible();
  await nothingSerious(page);
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();

  await page.getByLabel("Search workflows").fill(mark);
  await expect(page.getByRole("row")).toHaveCount(3);
  await page.getByLabel("Choose all workflows").check();
  await page.getByRole("group", { name: /chosen/ }).getByRole("button", { name: "Tags" }).click();
  await page.getByLabel("New tag").fill(mark);
  await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByRole("button", { name: mark, exact: true })).toHaveAttribute("aria-pressed", "true");
  await nothingSerious(page);
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByLabel("Search workflows").fill("");
  await page.getByLabel("Tag", { exact: true }).selectOption(mark);
  await expect(page.getByRole("row", { name: new RegExp(mark) })).toHaveCount(2);
  await expect(page.getByRole("row")).toHaveCount(3);
  await fitsNarrow(page);

  await page.getByLabel(`Choose ${mark} one`).check();
  await page.getByRole("group", { name: /chosen/ }).getByRole("button", { name: "Archive" }).click();
  await expect(page.getByRole("row", { name: new RegExp(`${mark} one`) })).toHaveCount(0);
  await page.getByLabel("State", { exact: true }).selectOption("archived");
  await page.getByLabel(`Choose ${mark} one`).check();
  await page.getByRole("group", { name: /chosen/ }).getByRole("button", { name: "Take out of the archive" }).click();
  await expect(page.getByText("Nothing found")).toBeVisible();
  await page.getByLabel("State", { exact: true }).selectOption("");
  await page.getByLabel("Choose all workflows").check();
  await page.getByRole("group", { name: /chosen/ }).getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("2 workflows deleted.")).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("row", { name: new RegExp(mark) })).toHaveCount(2);

  await page.getByRole("link", { name: "Tags" }).click();
  const row = page.getByRole("row", { name: new RegExp(mark) });
  await expect(row).toContainText("2 workflows");
  await nothingSerious(page);
  await page.getByRole("button", { name: `Rename “${mark}”` }).click();
  await page.getByLabel("Name", { exact: true }).fill(`${mark} new`);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("row", { name: new RegExp(`${mark} new`) })).toContainText("2 workflows");
  await fitsNarrow(page);
  await page.getByRole("button", { name: `Delete “${mark} new”` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(row).toHaveCount(0);
});

test("executions are counted over time, and several failed ones retried at once", async ({ page }, info) => {
  const name = `Fails ${Date.now()}`;
  await signIn(page, "/workflows");
  await pasted(page, n8n(name, [start, odd], linked));
  for (let times = 0; times < 2; times++) {
    await page.getByRole("row", { name: new RegExp(name) }).getByRole("button", { name: "Run" }).click();
    await expect(page.locator('[data-node="Odd"][data-status="error"]')).toBeVisible();
    await page.goto("/workflows");
  }
  await page.getByRole("link", { name: "Executions", exact: true }).click();
  await page.getByLabel("Workflow", { exact: true }).selectOption(name);
  await expect(page.getByRole("img", { name: /2 failed/ })).toBeVisible();
  await page.getByLabel("Choose all", { exact: false }).check();
  await page.getByRole("button", { name: "Retry" }).first().click();
  await expect(page.getByRole("row", { name: /Retry/ })).toHaveCount(2);
  await fitsNarrow(page);
  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByRole("img", { name: /Executions over time/ })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Busiest workflows" })).toBeVisible();
  await page.getByRole("button", { name: "7 days" }).click();
  await expect(page.getByText("Runs in 7 days")).toBeVisible();
  await nothingSerious(page);
  await page.screenshot({ path: info.outputPath("overview.png") });
  await fitsNarrow(page);
});

test("an API key is limited to what is chosen", async ({ page, playwright, baseURL }) => {
  const name = `reads ${Date.now()}`;
  await signIn(page, "/settings/api-keys");
  await page.getByRole("button", { name: "New API key" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("May do").selectOption("true");
  await page.getByRole("button", { name: "Only read" }).click();
  await nothingSerious(page);
  await page.getByRole("dialog").getByRole("button", { name: "New API key" }).click();
  const key = await page.getByLabel("The key").inputValue();
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("row", { name: new RegExp(name) })).toContainText("workflow:read");
  const script = await playwright.request.newContext({ ...(baseURL && { baseURL }), extraHTTPHeaders: { "X-API-Key": key } });
  expect((await script.get("/api/v1/workflows")).status()).toBe(200);
  expect((await script.post("/api/v1/workflows", { data: { name: "no", nodes: [], connections: {} } })).status()).toBe(403);
  await fitsNarrow(page);
});

test("an HTTP Request node is filled from a cURL command", async ({ page }) => {
  const name = `Calls ${Date.now()}`;
  await signIn(page, "/workflows");
  await pasted(page, n8n(name, [{ id: "1", name: "Call", type: "n8n-nodes-base.httpRequest", typeVersion: 4.2, position: [0, 0], parameters: {} }], {}));
  await page.getByRole("link", { name }).click();
  await page.locator('[data-node="Call"]').dblclick();
  await page.getByRole("button", { name: "Import cURL" }).click();
  await page.getByLabel("cURL command").fill("wget https://a.test");
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByRole("alert")).toHaveText("This is no cURL command.");
  await nothingSerious(page);
  await page.getByLabel("cURL command").fill(`curl 'https://a.test/x?q=1' -H 'X-Key: k' --data-raw '{"a":1}' -H 'Content-Type: application/json'`);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await expect(page.getByLabel("Method", { exact: true })).toHaveText(/POST/);
  await expect(page.getByRole("textbox", { name: "URL" })).toHaveValue("https://a.test/x");
});

test("what executions have kept is shown with them and finds them", async ({ page }) => {
  const order = `o-${Date.now()}`;
  const keeps = { id: "2", name: "Keep", type: "n8n-nodes-base.executionData", typeVersion: 1, position: [220, 0], parameters: { dataToSave: { values: [{ key: "order", value: order }] } } };
  await signIn(page, "/workflows");
  await pasted(page, n8n(`Keeps ${order}`, [start, keeps], { Start: { main: [[{ node: "Keep", type: "main", index: 0 }]] } }));
  await page.getByRole("row", { name: new RegExp(`Keeps ${order}`) }).getByRole("button", { name: "Run" }).click();
  await expect(page.locator('[data-node="Keep"][data-status="success"]')).toBeVisible();
  await page.goto("/executions");
  await page.getByLabel("Custom data: key:value").fill("order");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toHaveText("Give it as key:value.");
  await page.getByLabel("Custom data: key:value").fill(`order: ${order}`);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("row")).toHaveCount(2);
  await nothingSerious(page);
  await page.getByRole("row", { name: new RegExp(order) }).getByRole("link", { name: `Keeps ${order}` }).click();
  await page.getByRole("link", { name: `order: ${order}` }).click();
  await expect(page.getByRole("button", { name: `Remove order:${order}` })).toBeVisible();
  await expect(page.getByRole("row")).toHaveCount(2);
});
