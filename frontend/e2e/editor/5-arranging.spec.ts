import { expect, type Page, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { chain, conflict, enter, face, many, node, open, placeOf, rested, saved, store, stored } from "./workbench";

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

/** Where the view is. */
const viewOf = (page: Page) => page.locator(".react-flow__viewport").evaluate((viewport) => (viewport as HTMLElement).style.transform);

for (const count of [5, 200]) {
  test(`a node of ${count} that goes while it is dragged ends the drag`, async ({ page }) => {
    const token = await enter(page);
    const document = many(count);
    const id = await store(page.request, token, document);
    await open(page, id);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("Node 3");
    await page.keyboard.press("Enter");
    await rested(page);
    await page.keyboard.press("Control+d");
    const copy = page.locator(".react-flow__node.selected");
    await expect(copy.locator(".face")).not.toHaveAttribute("data-node", "Node 3");
    await rested(page);
    const stage = (await page.locator(".react-flow").boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const before = await viewOf(page);
    await copy.hover();
    await page.mouse.down();
    await page.mouse.move(stage.x + stage.width / 2, stage.y + stage.height / 2, { steps: 5 });
    await page.mouse.move(stage.x + stage.width - 10, stage.y + stage.height / 2, { steps: 5 });
    await expect.poll(() => viewOf(page)).not.toBe(before);
    await page.keyboard.press("Control+z");
    await page.mouse.move(stage.x + stage.width - 12, stage.y + stage.height / 2);
    await rested(page);
    await page.mouse.up();
    await expect(page.locator(".react-flow.dragging-many")).toHaveCount(0);

    await page.keyboard.press("Control+k");
    await page.keyboard.type("Node 2");
    await page.keyboard.press("Enter");
    await rested(page);
    await face(page, "Node 2").hover();
    await page.mouse.down();
    await page.mouse.move(stage.x + stage.width / 2, stage.y + stage.height / 2 + 200, { steps: 5 });
    await page.mouse.up();
    await saved(page);
    const { nodes: after } = await stored(page.request, token, id);
    expect(after.filter((each, index) => String(each.position) !== String(document.nodes[index]?.position)).map((each) => each.name)).toEqual(["Node 2"]);
  });
}

test("what is marked by a rectangle moves as far as the pointer", async ({ page }) => {
  const token = await enter(page);
  const document = many(6);
  const id = await store(page.request, token, document);
  await open(page, id);
  await rested(page);
  const [start, third] = document.nodes.flatMap((each, index) => (index === 0 || index === 3 ? [each] : []));
  if (!start || !third) throw new Error("no nodes");
  const [from, to] = [await placeOf(page, start), await placeOf(page, third)];
  const zoom = (to.x - from.x) / (660 * 1.3);
  await page.mouse.move(from.x - 140 * zoom, from.y - 60 * zoom);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y, { steps: 5 });
  await page.mouse.up();
  await expect(page.getByRole("toolbar", { name: "Selection" }).getByText("4 chosen")).toBeVisible();
  await rested(page);
  await page.mouse.move((from.x + to.x) / 2, from.y);
  await page.mouse.down();
  // begins with a small step: what is moved before it counts as a drag is left out
  await page.mouse.move((from.x + to.x) / 2 + 50, from.y + 60, { steps: 50 });
  await page.mouse.move((from.x + to.x) / 2 + 130 * zoom, from.y + 200 * zoom, { steps: 5 });
  await page.mouse.up();
  await saved(page);
  const { nodes: after } = await stored(page.request, token, id);
  for (const [index, { name, position: [x, y] }] of after.entries()) {
    const [fromX, fromY] = document.nodes[index]?.position ?? [0, 0];
    expect(Math.abs(x - fromX - (index < 4 ? 100 : 0)), name).toBeLessThan(20);
    expect(Math.abs(y - fromY - (index < 4 ? 200 : 0)), name).toBeLessThan(20);
  }
});
