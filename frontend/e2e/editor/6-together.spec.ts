import { expect, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { chain, enter, face, node, open, store } from "./workbench";

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
