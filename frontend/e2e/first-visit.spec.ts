import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";

const owner = { email: "owner@example.org", password: "a long enough passphrase" };

async function nothingSerious(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations.filter((each) => each.impact === "serious" || each.impact === "critical");
  expect(serious.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
}

test("the first visitor becomes the owner, sees the welcome workflow, and watches runs come in live", async ({ page, request }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Set up your Weft" })).toBeVisible();
  await nothingSerious(page);
  await page.getByLabel("First name").fill("Ada");
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Create account" }).click();

  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
  const welcome = page.getByRole("row", { name: /welcome/i });
  await expect(welcome.getByText("Published")).toBeVisible();
  await nothingSerious(page);

  await page.getByRole("link", { name: "Executions" }).click();
  await expect(page.getByText("Nothing has run yet")).toBeVisible();
  const answer = await request.get("/webhook/welcome?name=Ada");
  expect(await answer.text()).toContain("Ada");
  await expect(page.getByRole("row", { name: /success/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /webhook/ })).toContainText(/welcome/i);
  await nothingSerious(page);
  await page.screenshot({ path: "test-results/executions.png" });

  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill("wrong password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();

  await page.reload();
  await expect(page.getByRole("heading", { name: "Workflows" })).toBeVisible();
});

test("an imported workflow is run from its row", async ({ page }) => {
  await page.goto("/");
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Workflow file").setInputFiles({
    name: "small.json",
    mimeType: "application/json",
    buffer: Buffer.from(
      JSON.stringify({
        name: "From a file",
        nodes: [
          { id: "1", name: "Start", type: "n8n-nodes-base.manualTrigger", typeVersion: 1, position: [0, 0], parameters: {} },
          { id: "2", name: "Odd", type: "n8n-nodes-base.noSuchThing", typeVersion: 1, position: [200, 0], parameters: {} },
        ],
        connections: { Start: { main: [[{ node: "Odd", type: "main", index: 0 }]] } },
        settings: { executionOrder: "v1" },
      }),
    ),
  });
  const row = page.getByRole("row", { name: /From a file/ });
  await expect(row).toBeVisible();
  await row.getByRole("button", { name: "Run" }).click();
  await expect(page.getByRole("heading", { name: "Executions" })).toBeVisible();
  const run = page.getByRole("row", { name: /From a file/ });
  await expect(run.getByText("error", { exact: true })).toBeVisible();
  await run.getByRole("button", { name: "Retry" }).click();
  await expect(page.getByRole("row", { name: /retry/ })).toBeVisible();
});
