import { expect, type Page, test } from "@playwright/test";
import { chain, enter, face, many, node, open, placeOf, rested, saved, store, stored } from "./workbench";

const nodes = [node("Start", "manualTrigger", [0, 0]), node("First", "noOp", [240, 0]), node("Last", "noOp", [480, 0]), node("Note", "stickyNote", [0, 200], { content: "A **note**", width: 240, height: 160 })];
const viewOf = (page: Page) => page.locator(".react-flow__viewport").evaluate((viewport) => (viewport as HTMLElement).style.transform);
const boxOf = async (page: Page, name: string) => (await face(page, name).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };

test.use({ hasTouch: true });

test("the view and what is chosen follow mouse, keys and fingers", async ({ page }) => {
  const token = await enter(page);
  const id = await store(page.request, token, { name: "Gestures", nodes, connections: chain("Start", "First", "Last") });
  const places = async () => (await stored(page.request, token, id)).nodes.map((each) => each.position);
  const chosen = page.locator(".react-flow__node.selected");
  const empty = { x: 900, y: 550 };
  await open(page, id);
  await rested(page);
  /** What is done moves the view, and no node. */
  const moves = async (what: () => Promise<void>) => {
    const before = await viewOf(page);
    await what();
    await rested(page);
    expect(await viewOf(page)).not.toBe(before);
    expect(await places()).toEqual(nodes.map((each) => each.position));
  };
  await moves(async () => {
    await face(page, "First").hover();
    await page.keyboard.down("Space");
    await page.mouse.down();
    await page.mouse.move(500, 500, { steps: 5 });
    await page.mouse.up();
    await page.keyboard.up("Space");
  });
  const session = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", ...points: { x: number; y: number }[]) => session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map((point, finger) => ({ ...point, id: finger })) });
  await moves(async () => {
    await touch("touchStart", empty);
    for (let step = 1; step < 6; step++) await touch("touchMove", { x: empty.x - step * 10, y: empty.y - step * 5 });
    await touch("touchEnd");
  });
  await moves(async () => {
    await touch("touchStart", { x: 800, y: 550 }, { x: 900, y: 550 });
    for (let step = 1; step < 6; step++) await touch("touchMove", { x: 800 + step * 5, y: 550 }, { x: 900 - step * 5, y: 550 });
    await touch("touchEnd");
  });
  await page.keyboard.press("1");
  await rested(page);

  await face(page, "Start").click();
  await face(page, "First").click({ modifiers: ["Shift"] });
  await expect(chosen).toHaveCount(2);
  const last = await boxOf(page, "Last");
  await page.keyboard.down("Shift");
  await page.mouse.move(last.x - 20, last.y - 30);
  await page.mouse.down();
  await page.mouse.move(last.x + 100, last.y + 80, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await expect(chosen).toHaveCount(3);
  await page.keyboard.press("Escape");
  await expect(chosen).toHaveCount(0);

  const note = page.locator(".note");
  await note.click();
  await page.keyboard.press("Enter");
  await note.getByRole("textbox").fill("# Written");
  await page.keyboard.press("Escape");
  await expect(note.getByText("Written")).toBeVisible();
  await saved(page);
  await page.keyboard.press("Control+z");
  await expect(note).toContainText("A note");
});

test("in a large workflow a rectangle adds to what was chosen, too", async ({ page }) => {
  const token = await enter(page);
  const large = many(200, "Large, chosen twice");
  await open(page, await store(page.request, token, large));
  await rested(page);
  const mark = async (first: number, last: number) => {
    const [one, other] = [large.nodes[first], large.nodes[last]];
    if (!one || !other) throw new Error("no nodes");
    const [from, to] = [await placeOf(page, one), await placeOf(page, other)];
    const [width, height] = [(to.x - from.x) / (last - first), 12];
    await page.mouse.move(from.x - width / 2, from.y - height / 2);
    await page.mouse.down();
    await page.mouse.move(to.x + width / 4, to.y + height / 4, { steps: 5 });
    await page.mouse.up();
  };
  const bar = page.getByRole("toolbar", { name: "Selection" });
  await mark(42, 45);
  await expect(bar.getByText("4 chosen")).toBeVisible();
  await page.keyboard.down("Shift");
  await mark(50, 52);
  await page.keyboard.up("Shift");
  await expect(bar.getByText("7 chosen")).toBeVisible();
});
