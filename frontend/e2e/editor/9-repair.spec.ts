import { expect, type Page, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { chain, enter, face, node, open, saved, store } from "./workbench";

// A node that fails is found, understood and put right where it fails, and the work before it is not done again.

/** Items with a number that no other run gives, and the one field that the next node asks for. */
const measure = node("Measure", "code", [220, 0], { jsCode: "return [{ json: { run: Math.random(), order: { total: 12 } } }];" }, 2);
const price = (value: string) =>
  node("Price", "set", [440, 0], { assignments: { assignments: [{ id: "1", name: "price", type: "number", value }] }, includeOtherFields: true, options: {} }, 3.4);
const broken = (name: string) => ({
  name,
  nodes: [node("Start", "manualTrigger", [0, 0]), measure, price('={{ $json.order.total + " EUR" }}'), node("After", "noOp", [660, 0])],
  connections: chain("Start", "Measure", "Price", "After"),
});
const dialog = (page: Page) => page.getByRole("dialog");
const output = (page: Page) => dialog(page).getByRole("region", { name: "Output", exact: true });
const status = (page: Page, name: string, wanted: string) => expect(page.locator(`[data-node="${name}"][data-status="${wanted}"]`)).toBeVisible();

/** Runs the workflow and waits for its failure. */
async function fails(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await status(page, "Price", "error");
  await expect(page.locator(".run-state").getByText("Failed")).toBeVisible();
}

/** The number that the first node gave in the run that is shown. */
async function measured(page: Page): Promise<string> {
  await output(page).getByRole("button", { name: "JSON" }).click();
  const text = await output(page).locator("pre").first().innerText();
  return /"run": ([\d.e-]+)/.exec(text)?.[1] ?? "none";
}

async function mend(page: Page): Promise<void> {
  const value = dialog(page).getByRole("group", { name: "Field 1" }).getByRole("textbox", { name: "Value" });
  await value.fill("{{ $json.order.total }}");
  await expect(dialog(page).getByLabel("Result")).toHaveText("12");
}

test("an error is read where it is, and the run goes on from there with its data", async ({ page }) => {
  const token = await enter(page);
  await open(page, await store(page.request, token, broken("Repair")));
  await fails(page);
  await status(page, "Measure", "success");
  await nothingSerious(page);

  await face(page, "Measure").dblclick();
  const number = await measured(page);
  expect(Number(number)).toBeGreaterThan(0);
  await page.keyboard.press("Escape");

  await page.locator(".run-state").getByRole("button", { name: /^Price: / }).click();
  await expect(dialog(page)).toHaveAttribute("aria-label", "Price");
  await expect(dialog(page).getByRole("alert").first()).toContainText("12 EUR");
  await expect(output(page).getByRole("alert")).toContainText("12 EUR");
  await nothingSerious(page);
  await mend(page);
  await dialog(page).getByRole("button", { name: "Run on from here" }).click();
  await expect(output(page).getByText("Succeeded")).toBeVisible();
  await expect(output(page)).toContainText("12");
  expect(await measured(page)).toBe(number);
  await page.keyboard.press("Escape");
  await status(page, "After", "success");
  await status(page, "Measure", "success");
  await saved(page);
});

test("a failed execution is retried as it was and with the newest version, and opened in the editor with its data", async ({ page }) => {
  const token = await enter(page);
  await open(page, await store(page.request, token, broken("Retried")));
  await fails(page);
  await page.getByRole("link", { name: "Details" }).click();
  await expect(page.getByRole("alert")).toContainText("Price");
  await face(page, "Measure").dblclick();
  const number = await measured(page);
  await page.keyboard.press("Escape");
  const failed = page.url();

  await page.getByRole("button", { name: "Retry" }).click();
  await page.getByRole("menuitem", { name: "From the failed node, same version" }).click();
  await expect(page).not.toHaveURL(failed);
  await expect(page.locator(".top")).toContainText("Retry");
  await status(page, "Price", "error");
  await expect(page.getByRole("alert")).toContainText("12 EUR");

  await page.goto(failed);
  await page.getByRole("link", { name: "Open the editor" }).click();
  await status(page, "Price", "error");
  await face(page, "Price").dblclick();
  await expect(dialog(page).getByRole("region", { name: "Input", exact: true })).toContainText("order");
  await mend(page);
  await page.keyboard.press("Escape");
  if (await dialog(page).count()) await page.keyboard.press("Escape");
  await saved(page);

  await page.goto(failed);
  await page.getByRole("button", { name: "Retry" }).click();
  await page.getByRole("menuitem", { name: "From the failed node, newest version" }).click();
  await status(page, "After", "success");
  await expect(page.locator(".top").getByText("Succeeded")).toBeVisible();
  await face(page, "Price").dblclick();
  expect(await measured(page)).toBe(number);
});

test("a node that is run alone gets nothing from before a change", async ({ page }) => {
  const token = await enter(page);
  const field = (name: string, at: number, value: string) =>
    node(name, "set", [at, 0], { assignments: { assignments: [{ id: "1", name: name.toLowerCase(), type: "number", value }] }, includeOtherFields: true, options: {} }, 3.4);
  const nodes = [node("Start", "manualTrigger", [0, 0]), measure, field("Amount", 440, "=1"), field("Double", 660, "={{ $json.amount * 2 }}")];
  await open(page, await store(page.request, token, { name: "Changed", nodes, connections: chain("Start", "Measure", "Amount", "Double") }));
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await status(page, "Double", "success");

  await face(page, "Amount").dblclick();
  const number = await measured(page);
  await dialog(page).getByRole("group", { name: "Field 1" }).getByRole("textbox", { name: "Value" }).fill("21");
  await page.keyboard.press("Escape");
  await face(page, "Double").dblclick();
  await dialog(page).getByRole("button", { name: "Run this node" }).click();
  await expect(output(page)).toContainText("42");
  expect(await measured(page), "what has not changed is not run again").toBe(number);
});
