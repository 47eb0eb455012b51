import { expect, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { chain, enter, face, many, node, open, paste, rested, saved, store, stored } from "./workbench";

interface Grouped {
  nodeGroups?: { id: string; name: string; nodeIds: string[] }[];
  meta?: { weft: { groupColors: Record<string, number> } };
}

const nodes = [node("Start", "manualTrigger", [0, 0]), node("First", "noOp", [240, -60]), node("Second", "noOp", [460, 60]), node("Last", "noOp", [900, 0])];

test("nodes are grouped, named, moved, folded and ungrouped by keys and by mouse", async ({ page }) => {
  const token = await enter(page);
  const id = await store(page.request, token, { name: "Grouped", nodes, connections: chain("Start", "First", "Second", "Last") });
  const draft = async () => (await stored(page.request, token, id)) as Awaited<ReturnType<typeof stored>> & Grouped;
  const places = async () => Object.fromEntries((await draft()).nodes.map((each) => [each.name, each.position]));
  await open(page, id);
  await face(page, "First").click();
  await face(page, "Second").click({ modifiers: ["Control"] });
  await page.keyboard.press("Control+g");
  const dialog = page.getByRole("dialog", { name: "Group" });
  await dialog.getByLabel("Name of the group").fill("Clean up");
  await dialog.getByLabel("Colour 5").check();
  await nothingSerious(page);
  await page.screenshot({ path: "test-results/group-dialog.png" });
  await dialog.getByRole("button", { name: "Save" }).click();
  const frame = page.getByRole("group", { name: "Group Clean up, 2 nodes" });
  await expect(frame).toBeVisible();
  await saved(page);
  const [group] = (await draft()).nodeGroups ?? [];
  expect(group).toMatchObject({ name: "Clean up", nodeIds: ["first", "second"] });
  expect((await draft()).meta?.weft.groupColors).toEqual({ [group?.id ?? ""]: 5 });
  await page.screenshot({ path: "test-results/group-light.png" });

  const name = frame.getByRole("button", { name: "Clean up", exact: true });
  const at = await name.boundingBox();
  if (!at) throw new Error("the group has no name to drag");
  await page.mouse.move(at.x + 10, at.y + 10);
  await page.mouse.down();
  await page.mouse.move(at.x + 10, at.y + 60, { steps: 4 });
  await page.mouse.move(at.x + 10, at.y + 110, { steps: 4 });
  await page.mouse.up();
  await saved(page);
  const moved = await places();
  expect(moved.First?.[0]).toBe(240);
  expect((moved.Second?.[1] ?? 0) - (moved.First?.[1] ?? 0)).toBe(120);
  expect(moved.First?.[1]).toBeGreaterThan(0);
  expect(moved.Start).toEqual([0, 0]);
  await name.press("ArrowUp");
  await saved(page);
  expect((await places()).First?.[1]).toBe((moved.First?.[1] ?? 0) - 10);

  await frame.getByRole("button", { name: "Fold Clean up" }).click();
  const folded = page.locator("[data-group='Clean up']");
  await expect(folded).toContainText("2 nodes");
  await expect(face(page, "First")).toHaveCount(0);
  await expect(page.locator(".react-flow__edge")).toHaveCount(2);
  await nothingSerious(page);
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await page.screenshot({ path: "test-results/group-folded-dark.png" });
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(folded).toHaveAttribute("data-status", "success");
  await page.reload();
  await expect(folded).toBeVisible();
  await folded.getByRole("button", { name: "Unfold Clean up" }).click();
  await expect(face(page, "First")).toBeVisible();
  await page.screenshot({ path: "test-results/group-dark.png" });

  await name.press("Enter"); // its nodes are chosen
  await page.keyboard.press("Control+Shift+g");
  await expect(frame).toHaveCount(0);
  await saved(page);
  expect((await draft()).nodeGroups).toEqual([]);
  await page.keyboard.press("Control+z");
  await expect(frame).toBeVisible();
});

test("groups come with a workflow that is pasted from n8n", async ({ page }) => {
  await enter(page);
  await page.goto("/workflows/new");
  await expect(page.getByRole("button", { name: "Add the first step" })).toBeVisible();
  await paste(page, JSON.stringify({ nodes, connections: chain("Start", "First", "Second", "Last"), nodeGroups: [{ id: "g", name: "From n8n", nodeIds: ["second", "last"] }] }));
  await expect(page.getByRole("group", { name: "Group From n8n, 2 nodes" })).toBeVisible();
});

test("in a large workflow groups are painted, moved and folded too", async ({ page }) => {
  const token = await enter(page);
  const large = many(400, "Large and grouped");
  const ids = large.nodes.slice(1, 9).map((each) => each.id);
  const id = await store(page.request, token, { ...large, nodeGroups: [{ id: "g", name: "Row", nodeIds: ids }] } as typeof large);
  await open(page, id);
  await rested(page);
  const frame = page.getByRole("group", { name: "Group Row, 8 nodes" });
  await expect(frame).toBeVisible();
  await page.screenshot({ path: "test-results/group-large.png" });
  const name = frame.getByRole("button", { name: "Row", exact: true });
  const at = await name.boundingBox();
  if (!at) throw new Error("the group has no name to drag");
  await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
  await page.mouse.down();
  await page.mouse.move(at.x + at.width / 2, at.y - 40, { steps: 5 });
  await page.mouse.up();
  await saved(page);
  const first = (await stored(page.request, token, id)).nodes.find((each) => each.id === ids[0]);
  expect(first?.position[1]).toBeLessThan(-100);
  await page.keyboard.press("Shift+G");
  await expect(page.locator(".react-flow")).toHaveAttribute("data-nodes", "393");
});
