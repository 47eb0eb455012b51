import { expect, type Page, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { enter, face, many, open, saved, store, stored } from "./workbench";

/** The node that has the keyboard's focus. */
const focused = (page: Page) => page.locator(".react-flow__node:focus .face");

test("a thousand nodes are walked through, found, moved and connected by keyboard alone", async ({ page }) => {
  test.slow(); // axe looks at a thousand nodes four times
  const token = await enter(page);
  const id = await store(page.request, token, many(1000));
  await open(page, id);
  const entry = page.getByRole("button", { name: "Workflow with 1000 nodes" });
  for (let stops = 0; !(await entry.evaluate((each) => each === document.activeElement)); stops++) {
    expect(stops).toBeLessThan(40);
    await page.keyboard.press("Tab");
  }
  await nothingSerious(page);
  await page.keyboard.press("Enter");
  await expect(focused(page)).toHaveAttribute("data-node", "Start");
  await page.keyboard.press("ArrowRight");
  await expect(focused(page)).toHaveAttribute("data-node", "Node 1");
  await page.keyboard.press("ArrowDown");
  await expect(focused(page)).toHaveAttribute("data-node", "Node 41");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await expect(focused(page)).toHaveAttribute("data-node", "Start");
  for (const [key, name] of [["PageDown", "Node 1"], ["End", "Node 999"], ["PageUp", "Node 998"], ["Home", "Start"]] as const) {
    await page.keyboard.press(key);
    await expect(focused(page)).toHaveAttribute("data-node", name);
  }

  await page.keyboard.press("Control+k");
  await page.keyboard.type("Node 500");
  await page.keyboard.press("Enter");
  await expect(focused(page)).toHaveAttribute("data-node", "Node 500");
  // out of the view, which follows
  for (let step = 501; step < 509; step++) {
    await page.keyboard.press("ArrowRight");
    await expect(focused(page)).toHaveAttribute("data-node", `Node ${step}`);
    await expect(focused(page)).toBeInViewport({ ratio: 0.99 }); // a browser rounds what stands between two pixels
  }
  await expect(page.locator(".react-flow__node:focus")).toHaveAttribute("aria-label", /^Node 508, Edit Fields, comes from Node 507, leads to Node 509$|^Node 508, No Operation.*, comes from Node 507, leads to Node 509$/);
  await nothingSerious(page);

  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("Shift+ArrowDown");
  await page.keyboard.press("c");
  await expect(page.getByRole("dialog", { name: "Connect Node 508" })).toBeVisible();
  await page.keyboard.type("Node 700");
  await nothingSerious(page);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await saved(page);
  let draft = await stored(page.request, token, id);
  const before = many(1000).nodes[508]?.position ?? [0, 0];
  expect(draft.nodes.find((each) => each.name === "Node 508")?.position).toEqual([before[0], before[1] + 40]);
  expect(draft.connections["Node 508"]?.main[0]?.map((target) => target.node)).toEqual(["Node 509", "Node 700"]);
  await expect(focused(page)).toHaveAttribute("data-node", "Node 508");

  await page.keyboard.press("Delete");
  await expect(face(page, "Node 508")).toHaveCount(0);
  await expect(focused(page)).toHaveAttribute("data-node", "Node 507");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await saved(page);
  draft = await stored(page.request, token, id);
  expect(draft.nodes.find((each) => each.name === "Node 508")?.position).toEqual(before);
  expect(draft.connections["Node 508"]?.main[0]?.map((target) => target.node)).toEqual(["Node 509"]);
});
