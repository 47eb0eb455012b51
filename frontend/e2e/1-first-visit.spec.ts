import { expect, test } from "@playwright/test";
import { n8n, nothingSerious, owner, signIn } from "./session";

test("the first visitor becomes the owner, sees the welcome workflow, and watches runs come in live", async ({ page, request }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Set up your Weft" })).toBeVisible();
  await nothingSerious(page);
  await page.getByLabel("First name").fill("Ada");
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByRole("heading", { name: "Good to see you, Ada" })).toBeVisible();
  await nothingSerious(page);

  await page.getByRole("link", { name: "Workflows", exact: true }).click();
  const welcome = page.getByRole("row", { name: /welcome/i });
  await expect(welcome.getByText("Published")).toBeVisible();
  await nothingSerious(page);

  await page.getByRole("link", { name: "Executions" }).click();
  await expect(page.getByText("Nothing has run yet")).toBeVisible();
  const answer = await request.get("/webhook/welcome?name=Ada");
  expect(await answer.text()).toContain("Ada");
  await expect(page.getByRole("row", { name: /Succeeded/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /Webhook/ })).toContainText(/welcome/i);
  await nothingSerious(page);

  await page.getByRole("button", { name: "Your account" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill("wrong password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Good to see you, Ada" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { name: "Good to see you, Ada" })).toBeVisible();
});

test("an imported workflow is run from its row, opened as it was, and retried", async ({ page }) => {
  await signIn(page, "/workflows");
  const nodes = [
    { id: "1", name: "Start", type: "n8n-nodes-base.manualTrigger", typeVersion: 1, position: [0, 0], parameters: {} },
    { id: "2", name: "Odd", type: "n8n-nodes-base.noSuchThing", typeVersion: 1, position: [200, 0], parameters: {} },
  ];
  const text = n8n("From a file", nodes, { Start: { main: [[{ node: "Odd", type: "main", index: 0 }]] } });
  await page.getByLabel("Workflow file").setInputFiles({ name: "small.json", mimeType: "application/json", buffer: Buffer.from(text) });
  const row = page.getByRole("row", { name: /From a file/ });
  await expect(row).toBeVisible();
  await row.getByRole("button", { name: "Run" }).click();
  await expect(page.getByRole("heading", { name: "From a file" })).toBeVisible();
  await expect(page.locator('[data-node="Odd"][data-status="error"]')).toBeVisible();
  await nothingSerious(page);
  await page.getByRole("link", { name: "Executions" }).click();
  const run = page.getByRole("row", { name: /From a file/ });
  await expect(run.getByText("Failed", { exact: true })).toBeVisible();
  await run.getByRole("button", { name: "Retry" }).click();
  await expect(page.getByRole("row", { name: /Retry.*ago|Retry.*now/ }).first()).toBeVisible();
});

test("credentials, variables, keys and settings: create, see, delete; no page has a serious barrier", async ({ page }) => {
  await signIn(page, "/variables");
  await page.getByRole("button", { name: "New variable" }).first().click();
  await page.getByLabel("Name").fill("region");
  await page.getByLabel("Value", { exact: true }).fill("eu");
  await nothingSerious(page);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("row", { name: /region/ })).toContainText("eu");
  await nothingSerious(page);

  await page.getByRole("link", { name: "Credentials" }).click();
  await page.getByRole("button", { name: "New credential" }).first().click();
  await page.getByLabel("Type").selectOption("httpBasicAuth");
  await page.getByLabel("Name", { exact: true }).fill("Shop");
  await page.getByLabel(/^User/).fill("ada");
  await page.getByLabel(/^Password/).fill("s3cr3t");
  await nothingSerious(page);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("row", { name: /Shop/ })).toContainText("Basic Auth");
  await nothingSerious(page);

  await page.getByRole("button", { name: "Shop" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel(/^User/)).toHaveValue("ada");
  await expect(dialog.getByLabel("Password", { exact: true })).toHaveValue("Stored, unchanged");
  await nothingSerious(page);
  await dialog.getByRole("button", { name: "Replace: Password" }).click();
  await expect(dialog.getByLabel(/^Password/)).toBeFocused();
  await dialog.getByRole("button", { name: "Keep the stored one" }).click();
  await dialog.getByLabel(/^User/).fill("bea");
  const sent = page.waitForRequest((request) => request.method() === "PATCH");
  await dialog.getByRole("button", { name: "Save" }).click();
  expect((await sent).postDataJSON()).toEqual({ name: "Shop", data: { user: "bea" } });
  await expect(dialog).toHaveCount(0);
  await page.getByRole("row", { name: /Shop/ }).getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("No credentials yet")).toBeVisible();

  await page.getByRole("link", { name: "Settings" }).click();
  await expect(page.getByLabel("E-mail")).toHaveValue(owner.email);
  await nothingSerious(page);
  await page.getByRole("link", { name: "API keys" }).click();
  await page.getByRole("button", { name: "New API key" }).click();
  await page.getByLabel("Name").fill("deploy");
  await page.getByRole("dialog").getByRole("button", { name: "New API key" }).click();
  await expect(page.getByLabel("The key")).not.toHaveValue("");
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("row", { name: /deploy/ })).toBeVisible();
  await nothingSerious(page);

  await page.goto("/settings");
  await page.getByLabel("Language").selectOption("de");
  await expect(page.getByRole("heading", { name: "Einstellungen" })).toBeVisible();
});
