import { expect, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { chain, enter, face, many, node, open, mark, rested, saved, store, stored } from "./workbench";

const nodes = [node("Start", "manualTrigger", [0, 0]), node("First", "noOp", [240, 0]), node("Last", "noOp", [480, 0]), node("Note", "stickyNote", [0, 200], { content: "A **note**", width: 240, height: 160 })];

test("the right button offers what can be done with nodes, connections, notes and the canvas", async ({ page }) => {
  const token = await enter(page);
  const id = await store(page.request, token, { name: "Menus", nodes, connections: chain("Start", "First", "Last") });
  const draft = () => stored(page.request, token, id);
  await open(page, id);
  await rested(page);
  const menu = page.getByRole("menu");
  const choose = (name: string) => menu.getByRole("menuitem", { name }).click();

  await face(page, "First").click({ button: "right" });
  await expect(page.locator(".react-flow__node.selected")).toHaveCount(1);
  await page.screenshot({ path: "test-results/menu-node.png" });
  await nothingSerious(page);
  await choose("Disable or enable");
  await expect(face(page, "First")).toHaveClass(/disabled/);
  await expect(menu).toHaveCount(0);
  await page.keyboard.press("Control+z"); // the keys belong to the canvas again
  await expect(face(page, "First")).not.toHaveClass(/disabled/);

  await face(page, "Last").click({ modifiers: ["Control"] });
  await face(page, "First").click({ button: "right" }); // of what is chosen: all of it
  await choose("Duplicate");
  await expect(page.locator(".face")).toHaveCount(5);
  await page.keyboard.press("Control+z");

  // a way between First and Last, which has no tools yet
  const [left, right] = [await face(page, "First").boundingBox(), await face(page, "Last").boundingBox()];
  if (!left || !right) throw new Error("no faces");
  await page.mouse.click((left.x + left.width + right.x) / 2, left.y + left.height / 2, { button: "right" });
  await choose("Remove the connection");
  await expect(page.locator(".react-flow__edge")).toHaveCount(1);

  await page.mouse.click(right.x, right.y + 200, { button: "right" });
  await expect(menu.getByRole("menuitem", { name: "Rename" })).toHaveCount(0);
  await page.keyboard.press("Escape");
  await expect(menu).toHaveCount(0);
  // a drag by the right button moves the view and opens nothing
  await page.mouse.move(right.x, right.y + 200);
  await page.mouse.down({ button: "right" });
  await page.mouse.move(right.x + 40, right.y + 240, { steps: 4 });
  await page.mouse.up({ button: "right" });
  await expect(menu).toHaveCount(0);

  const note = page.locator(".note");
  await note.click();
  await page.getByRole("radio", { name: "Colour 4" }).click();
  await expect(note).toHaveClass(/colour-4/);
  await page.screenshot({ path: "test-results/note-colours.png" });
  await nothingSerious(page);
  await saved(page);
  const after = await draft();
  expect(after.nodes.find((each) => each.name === "Note")?.parameters.color).toBe(4);
  expect(after.connections.First?.main.flat() ?? []).toEqual([]);
});

test("what is marked in a large workflow has one menu", async ({ page }) => {
  const token = await enter(page);
  const large = many(200, "Large, with menus");
  const id = await store(page.request, token, large);
  await open(page, id);
  await rested(page);
  const space = await mark(page, large.nodes[42], large.nodes[85]);
  await page.mouse.click(space.x, space.y, { button: "right" });
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(page.locator(".react-flow")).toHaveAttribute("data-nodes", "192");
});
