import { expect, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { chain, enter, face, many, mark, node, open, paste, placeOf, rested, saved, store, stored } from "./workbench";

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

test("in a large workflow a frame follows the nodes of its group, and a drag whose group goes ends", async ({ page }) => {
  const token = await enter(page);
  const large = many(400, "Large, pulled apart");
  const ids = large.nodes.slice(1, 9).map((each) => each.id);
  const id = await store(page.request, token, { ...large, nodeGroups: [{ id: "g", name: "Row", nodeIds: ids }] } as typeof large);
  await open(page, id);
  await rested(page);
  const frame = page.getByRole("group", { name: "Group Row, 8 nodes" });
  const box = async () => (await frame.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const before = await box();
  const first = large.nodes[1];
  if (!first) throw new Error("no nodes");
  const at = await placeOf(page, first);
  await page.mouse.move(at.x, at.y);
  await expect(face(page, first.name)).toBeVisible();
  await page.mouse.down();
  await page.mouse.move(at.x, at.y - 80, { steps: 8 });
  await expect.poll(async () => (await box()).y).toBeLessThan(before.y - 50);
  expect((await box()).y + (await box()).height).toBeCloseTo(before.y + before.height, -1);
  await page.screenshot({ path: "test-results/group-pulled.png" });
  await page.mouse.up();
  await page.keyboard.press("Control+z");
  await expect.poll(async () => (await box()).y).toBeCloseTo(before.y, -1);
  await saved(page);

  const name = frame.getByRole("button", { name: "Row", exact: true });
  await name.click();
  const head = (await name.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.move(head.x + head.width / 2, head.y + head.height / 2);
  await page.mouse.down();
  await page.mouse.move(head.x + head.width / 2, head.y - 60, { steps: 5 });
  await expect(page.locator(".react-flow.dragging-many")).toHaveCount(1);
  await page.keyboard.press("Control+Shift+g");
  await expect(frame).toHaveCount(0);
  await expect(page.locator(".react-flow.dragging-many")).toHaveCount(0);
  await page.mouse.up();
  await saved(page);
  expect((await stored(page.request, token, id)).nodes.map((each) => each.position)).toEqual(large.nodes.map((each) => each.position));
});

test("what is marked in a large workflow moves by the space between its nodes, and a click lets it go", async ({ page }) => {
  const token = await enter(page);
  const large = many(400, "Large and marked");
  const id = await store(page.request, token, large);
  await open(page, id);
  await rested(page);
  const space = await mark(page, large.nodes[82], large.nodes[125]);
  const bar = page.getByRole("toolbar", { name: "Selection" });
  await expect(bar.getByText("8 chosen")).toBeVisible();
  await page.mouse.move(space.x, space.y);
  await page.mouse.down();
  await page.mouse.move(space.x, space.y + 60, { steps: 6 });
  await page.screenshot({ path: "test-results/marked-moved.png" });
  await page.mouse.up();
  await saved(page);
  const { nodes: after } = await stored(page.request, token, id);
  const moved = after.filter((each, index) => each.position[1] > (large.nodes[index]?.position[1] ?? 0) + 100);
  expect(moved.map((each) => each.name)).toEqual([82, 83, 84, 85, 122, 123, 124, 125].map((index) => `Node ${index}`));
  await expect(bar.getByText("8 chosen")).toBeVisible();
  await page.mouse.click(space.x, space.y + 60);
  await expect(bar).toHaveCount(0);
});
