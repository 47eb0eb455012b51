import { expect, type Page, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { chain, enter, face, node, open, saved, store, stored } from "./workbench";

const assigned = (...fields: [string, string][]) => ({ assignments: { assignments: fields.map(([name, value], index) => ({ id: `f${index}`, name, type: "string", value })) }, includeOtherFields: true, options: {} });
const nodes = [
  node("Start", "manualTrigger", [0, 0]),
  node("Orders", "code", [220, 0], { jsCode: "return [3, 1, 2].map((n) => ({ json: { n, customer: { name: `C${n}` } } }))" }, 2),
  node("Sort", "sort", [440, 0], { sortFieldsUi: { sortField: [{ fieldName: "n", order: "ascending" }] }, options: {} }),
  node("Greet", "set", [660, 0], assigned(["text", "={{ 'Hello ' + $('Orders').item.json.customer.name + ', one of ' + $('Orders').all().length }}"]), 3.4),
  node("Last", "set", [880, 0], assigned(["again", "={{ $('Greet').item.json.text + '!' }}"]), 3.4),
];
const workflow = (name: string) => ({ name, nodes, connections: chain("Start", "Orders", "Sort", "Greet", "Last"), settings: { executionOrder: "v1" } });

interface Finished {
  data: { status: string; node_data: Record<string, { outputs: { json: unknown }[][] }[]> };
}

/** Runs the stored draft to its end; the items of its last node. */
async function result(page: Page, token: string, id: string): Promise<unknown[]> {
  const headers = { Authorization: `Bearer ${token}` };
  const started = await page.request.post(`/api/v1/workflows/${id}/execute?wait=30`, { headers, data: {} });
  const { data } = (await started.json()) as { data: { id: string } };
  const found = (await (await page.request.get(`/api/v1/executions/${data.id}?include=data`, { headers })).json()) as Finished;
  expect(found.data.status).toBe("success");
  return found.data.node_data.Last?.[0]?.outputs[0]?.map((item) => item.json) ?? [];
}

test("chosen nodes become a workflow that is called, and runs give the same", async ({ page }) => {
  const token = await enter(page);
  const id = await store(page.request, token, workflow("Orders of today"));
  const before = await result(page, token, id);
  expect(before).toHaveLength(3);
  await open(page, id);
  await face(page, "Sort").click();
  await face(page, "Greet").click({ modifiers: ["Control"] });
  await page.keyboard.press("Shift+X");
  const dialog = page.getByRole("dialog", { name: "Convert to a sub-workflow" });
  await dialog.getByLabel("Name").fill("Greetings");
  await nothingSerious(page);
  await page.screenshot({ path: "test-results/extract-light.png" });
  await page.keyboard.press("Enter");
  await expect(face(page, "Greetings")).toBeVisible();
  await expect(face(page, "Greet")).toHaveCount(0);
  await saved(page);
  await page.screenshot({ path: "test-results/extracted.png" });
  expect(await result(page, token, id)).toEqual(before);

  const call = (await stored(page.request, token, id)).nodes.find((each) => each.name === "Greetings");
  const child = await stored(page.request, token, (call?.parameters.workflowId as { value: string }).value);
  expect(child.nodes.map((each) => each.name).sort()).toEqual(["Greet", "Items", "Sort", "When Executed by Another Workflow"]);
  await page.keyboard.press("Control+z");
  await expect(face(page, "Greet")).toBeVisible();
  await saved(page);
  expect((await stored(page.request, token, id)).nodes.sort((left, right) => left.position[0] - right.position[0])).toEqual(nodes);
});

test("a selection that would run otherwise is refused with its reasons", async ({ page }) => {
  const token = await enter(page);
  const id = await store(page.request, token, workflow("Refused"));
  await open(page, id);
  await page.keyboard.press("Control+a");
  await page.getByRole("toolbar", { name: "Selection" }).getByRole("button", { name: "Convert to a sub-workflow" }).click();
  const dialog = page.getByRole("dialog", { name: "Convert to a sub-workflow" });
  await expect(dialog.getByRole("alert")).toContainText("“Start” starts this workflow. Triggers stay.");
  await expect(dialog.getByRole("button", { name: "Convert", exact: true })).toBeDisabled();
  await nothingSerious(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: "test-results/refused-dark.png" });
});
