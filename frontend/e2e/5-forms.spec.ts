import { expect, test } from "@playwright/test";
import { n8n, nothingSerious, signIn } from "./session";

test("a workflow is chosen from a list that is searched, and its inputs are mapped", async ({ page }, info) => {
  await signIn(page, "/workflows");
  const ship = `Ship an order ${Date.now()}`;
  const called = n8n(ship, [
    { id: "1", name: "In", type: "n8n-nodes-base.executeWorkflowTrigger", typeVersion: 1.1, position: [0, 0], parameters: { workflowInputs: { values: [{ name: "order", type: "number" }, { name: "note" }] } } },
  ], {});
  const nodes = [
    { id: "1", name: "Start", type: "n8n-nodes-base.manualTrigger", typeVersion: 1, position: [0, 0], parameters: {} },
    { id: "2", name: "Call", type: "n8n-nodes-base.executeWorkflow", typeVersion: 1.2, position: [220, 0], parameters: {} },
  ];
  const calling = { ...(JSON.parse(n8n("Calls another", nodes, { Start: { main: [[{ node: "Call", type: "main", index: 0 }]] } })) as object), pinData: { Start: [{ json: { order: 7, other: 1 } }] } };
  for (const [name, text] of [["called", called], ["calling", JSON.stringify(calling)]] as const) {
    await page.getByLabel("Workflow file").setInputFiles({ name: `${name}.json`, mimeType: "application/json", buffer: Buffer.from(text) });
  }
  await page.getByRole("link", { name: "Calls another" }).first().click();
  await page.locator('[data-node="Call"]').dblclick();
  const chooser = page.getByRole("combobox", { name: "Workflow ID", exact: true });
  await chooser.click();
  await page.keyboard.type(ship.toLowerCase());
  await expect(page.getByRole("option", { name: ship, exact: true })).toBeVisible();
  await expect(page.locator(".choices-list").getByRole("option")).toHaveCount(1);
  await nothingSerious(page);
  await page.screenshot({ path: info.outputPath("choices.png") });
  await page.keyboard.press("Escape");
  await expect(page.getByRole("listbox")).toHaveCount(0);
  await expect(page.getByRole("dialog")).toBeVisible();
  await chooser.click();
  await page.keyboard.type(ship.toLowerCase());
  await page.getByRole("option", { name: ship, exact: true }).click();
  await expect(chooser).toHaveValue(ship);

  await page.getByRole("button", { name: "Map fields of the same name" }).click();
  const order = page.getByRole("group", { name: "order" });
  await expect(order.getByLabel("Result")).toHaveText("7");
  await expect(page.getByRole("group", { name: "note" }).getByRole("textbox")).toHaveValue("");
  await nothingSerious(page);
  await page.setViewportSize({ width: 360, height: 740 });
  await chooser.scrollIntoViewIfNeeded();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.screenshot({ path: info.outputPath("narrow.png") });
});
