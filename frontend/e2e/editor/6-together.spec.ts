import { expect, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { chain, conflict, enter, face, node, open, saved, store, stored } from "./workbench";

const nodes = [node("Start", "manualTrigger", [0, 0]), node("First", "noOp", [240, 60]), node("Last", "noOp", [500, 20])];
const workflow = (name: string) => ({ name, nodes, connections: chain("Start", "First", "Last") });

test("who else has a workflow open is seen, with what they have chosen, until they leave", async ({ page, browser }) => {
  const token = await enter(page);
  const id = await store(page.request, token, workflow("Together"));
  await open(page, id);
  const here = page.getByRole("list", { name: "Also here" });
  const other = await (await browser.newContext()).newPage();
  await enter(other);
  await open(other, id);
  await expect(here.getByRole("button", { name: "You, in another tab" })).toBeVisible();
  await expect(other.getByRole("list", { name: "Also here" })).toBeVisible();
  await face(other, "First").click();
  await expect(here.getByRole("button", { name: "You, in another tab has chosen First" })).toHaveText("AL");
  await expect(page.locator(".choice")).toBeVisible();
  await nothingSerious(page);
  await page.screenshot({ path: "test-results/together-light.png" });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: "test-results/together-dark.png" });
  await other.context().close();
  await expect(here).toHaveCount(0);
  await expect(page.locator(".choice")).toHaveCount(0);
});

interface Listed {
  data: { version: number }[];
}

test("kept over another's work: both are versions, and what differs is shown before", async ({ page, context }) => {
  const token = await enter(page);
  const headers = { Authorization: `Bearer ${token}` };
  const id = await store(page.request, token, workflow("Mine and theirs"));
  await open(page, id);
  const other = await conflict(page, context, id);
  await page.unroute(`**/api/v1/workflows/${id}`);
  await page.getByRole("button", { name: "Compare" }).click();
  const dialog = page.getByRole("dialog", { name: "Two states of this workflow" });
  await expect(dialog.locator(".differences .added")).toContainText("Last");
  await expect(dialog.locator(".differences .changed").first()).toContainText("First");
  await nothingSerious(page);
  await page.screenshot({ path: "test-results/compare-light.png" });

  // they go on while the user reads: nothing is saved over what was not shown
  await face(other, "Start").click();
  await other.keyboard.press("d");
  await saved(other);
  await dialog.getByRole("button", { name: "Keep mine" }).click();
  await expect(dialog.locator(".differences .changed").filter({ hasText: "Start" })).toBeVisible();
  expect((await stored(page.request, token, id)).nodes).toHaveLength(2);
  await dialog.getByRole("button", { name: "Keep mine" }).click();
  await expect(dialog).toHaveCount(0);
  await saved(page);
  expect((await stored(page.request, token, id)).nodes).toHaveLength(3);
  const { data } = (await (await page.request.get(`/api/v1/workflows/${id}/versions`, { headers })).json()) as Listed;
  const kept = await Promise.all(data.map(async ({ version }) => (await (await page.request.get(`/api/v1/workflows/${id}/versions/${version}`, { headers })).json()) as { data: { document: { nodes: { name: string; disabled?: boolean }[] } } }));
  const states = kept.map((each) => each.data.document.nodes.map((held) => `${held.name}${held.disabled ? " off" : ""}`).sort().join(", "));
  expect(states).toContain("First, Start off");
  expect(states).toContain("First off, Last, Start");
});
