import { expect, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { chain, conflict, enter, face, node, open, saved, store, stored } from "./workbench";

const nodes = [node("Start", "manualTrigger", [0, 0]), node("First", "noOp", [240, 60]), node("Second", "noOp", [500, 20]), node("Last", "noOp", [900, 40], { note: "={{ $('Second').item.json.x }}" })];
const workflow = (name: string) => ({ name, nodes, connections: chain("Start", "First", "Second", "Last") });

test("several nodes are aligned, distributed and tidied, each as one step back", async ({ page }) => {
  const token = await enter(page);
  const id = await store(page.request, token, workflow("Arranged"));
  const places = async () => Object.fromEntries((await stored(page.request, token, id)).nodes.map((each) => [each.name, each.position]));
  await open(page, id);
  await page.keyboard.press("Control+a");
  const bar = page.getByRole("toolbar", { name: "Selection" });
  await expect(bar.getByText("4 chosen")).toBeVisible();
  await nothingSerious(page);
  await bar.getByRole("button", { name: "Align top" }).click();
  await bar.getByRole("button", { name: "Distribute across" }).click();
  await saved(page);
  expect(await places()).toEqual({ Start: [0, 0], First: [300, 0], Second: [600, 0], Last: [900, 0] });
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await saved(page);
  expect(await places()).toEqual({ Start: [0, 0], First: [240, 60], Second: [500, 20], Last: [900, 40] });
  await bar.getByRole("button", { name: "Tidy up" }).click();
  await saved(page);
  const tidied = Object.values(await places());
  expect(new Set(tidied.map(([, y]) => y)).size).toBe(1);
});

test("a node is replaced; its connections and what refers to it stay", async ({ page }) => {
  const token = await enter(page);
  const id = await store(page.request, token, workflow("Replaced"));
  await open(page, id);
  await face(page, "Second").click();
  await page.keyboard.press("r");
  const panel = page.getByRole("complementary", { name: "Add a node" });
  await expect(panel.getByRole("heading", { name: "Replace by" })).toBeVisible();
  await panel.getByRole("combobox").fill("edit fields");
  await expect(panel.getByRole("option").first()).toContainText("Edit Fields");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Close" }).click();
  await saved(page);
  const after = await stored(page.request, token, id);
  expect(after.nodes.find((each) => each.name === "Second")).toMatchObject({ type: "n8n-nodes-base.set", position: [500, 20] });
  expect(after.connections).toEqual(workflow("").connections);
});

test("of two tabs that change one workflow, neither loses its work unseen", async ({ page, context }) => {
  const token = await enter(page);
  const id = await store(page.request, token, workflow("Both"));
  await open(page, id);
  const other = await conflict(page, context, id);
  expect((await stored(page.request, token, id)).nodes).toHaveLength(3);
  await nothingSerious(page);
  await page.unroute(`**/api/v1/workflows/${id}`);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByRole("button", { name: "Take theirs" }).click();
  await expect(face(page, "Last")).toHaveCount(0);
  await expect(face(page, "First")).not.toHaveClass(/disabled/);
  await page.keyboard.press("Control+z");
  await expect(face(page, "Last")).toBeVisible();
  await expect(face(page, "First")).toHaveClass(/disabled/);
  await saved(page);
  await expect(face(other, "First")).toHaveClass(/disabled/);
  expect((await stored(page.request, token, id)).nodes).toHaveLength(4);
});
