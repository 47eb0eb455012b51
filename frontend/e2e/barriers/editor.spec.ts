import { expect, type Page, test } from "@playwright/test";
import { chain, conflict, enter, face, many, node, open, store } from "../editor/workbench";
import { clear } from "../session";

const dialog = (page: Page) => page.getByRole("dialog").last();

const condition = { id: "1", leftValue: "={{ $json.n }}", rightValue: 1, operator: { type: "number", operation: "gte" } };
const to = (name: string, index = 0) => ({ node: name, type: "main", index });
/** A bit of everything that a canvas can show: a loop, two branches, a note, a group, an unknown type, a lost credential. */
const everything = (name: string) => ({
  name,
  nodes: [
    node("Start", "manualTrigger", [0, 0]),
    node("Items", "code", [220, 0], { jsCode: "return [1, 2, 3].map((n) => ({ json: { n, name: 'item ' + n } }));" }, 2),
    node("Loop", "splitInBatches", [440, 0], { options: {} }, 3),
    node("Large?", "if", [660, 100], { conditions: { options: { version: 2, typeValidation: "loose", caseSensitive: true }, combinator: "and", conditions: [condition] }, options: {} }, 2.2),
    node("Label", "set", [880, 40], { assignments: { assignments: [{ id: "1", name: "label", type: "string", value: "={{ $json.name }}" }] }, options: {} }, 3.4),
    { ...node("Off", "noOp", [880, 200]), disabled: true },
    node("Join", "merge", [1100, 100], {}, 3.1),
    node("Stop", "stopAndError", [660, -120], { errorMessage: "This one fails." }),
    { ...node("Call", "httpRequest", [880, -120], { url: "https://example.org", authentication: "genericCredentialType", genericAuthType: "httpBasicAuth" }, 4.2), credentials: { httpBasicAuth: { id: "gone", name: "Gone" } } },
    { ...node("Unknown", "noSuchThing", [1100, -120]), onError: "continueErrorOutput" },
    node("Note", "stickyNote", [180, -240], { content: "## A note\n**with** [a link](https://example.org)", width: 300, height: 140, color: 3 }),
  ],
  connections: {
    ...chain("Start", "Items", "Loop"),
    Loop: { main: [[to("Stop")], [to("Large?")]] },
    "Large?": { main: [[to("Label")], [to("Off")]] },
    Label: { main: [[to("Join")]] },
    Off: { main: [[to("Join", 1)]] },
    Join: { main: [[to("Loop")]] },
    ...chain("Stop", "Call", "Unknown"),
  },
  nodeGroups: [{ id: "g", name: "Branches", nodeIds: ["label", "off"] }],
});

/** Opens a workflow that shows everything, after a run of it that has failed; an access token. */
async function failed(page: Page, name: string): Promise<string> {
  await page.emulateMedia({ reducedMotion: "reduce" });
  const token = await enter(page);
  await open(page, await store(page.request, token, everything(name)));
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator(".run-state").getByText("Failed")).toBeVisible();
  return token;
}

test("the canvas, a node and an execution have no serious barrier, wide or narrow, light or dark", async ({ page }) => {
  test.setTimeout(600_000);
  const token = await failed(page, "Barriers of the canvas");
  await clear(page, "canvas after a run");
  await page.getByRole("button", { name: /issues$/ }).click();
  await clear(page, "issues");
  await page.keyboard.press("Escape");
  await page.locator(".react-flow__pane").click({ position: { x: 300, y: 20 } });
  await page.keyboard.press("Control+a");
  await expect(page.getByRole("toolbar")).toBeVisible();
  await clear(page, "selection");
  await page.locator(".react-flow__pane").click({ position: { x: 300, y: 20 } });
  await page.keyboard.press("n");
  await expect(page.getByRole("option").first()).toBeVisible();
  await clear(page, "panel of nodes");
  await page.keyboard.press("Escape");

  await face(page, "Items").dblclick();
  for (const view of ["Table", "JSON", "Schema"]) {
    await dialog(page).getByRole("region", { name: "Output", exact: true }).getByRole("button", { name: view }).click();
    await clear(page, `node, ${view}`);
  }
  await page.keyboard.press("Escape");
  await face(page, "Large?").dblclick();
  await expect(dialog(page).getByRole("group", { name: "Condition 1" })).toBeVisible();
  await clear(page, "node with conditions");
  await dialog(page).getByRole("button", { name: "Settings" }).click();
  await clear(page, "settings of a node");
  await page.keyboard.press("Escape");
  await face(page, "Stop").dblclick();
  await expect(dialog(page).getByRole("alert").first()).toContainText("This one fails.");
  await clear(page, "failed node");
  await page.keyboard.press("Escape");
  await face(page, "Unknown").dblclick();
  await expect(dialog(page)).toBeVisible();
  await clear(page, "node of an unknown type");
  await page.keyboard.press("Escape");
  await face(page, "Label").dblclick();
  await dialog(page).getByRole("textbox", { name: "Value" }).click();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("{{ $json.no.such }}");
  await expect(dialog(page).locator(".preview.bad")).toBeVisible();
  await clear(page, "failing expression");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");

  await page.getByRole("link", { name: "Details" }).click();
  await expect(page.getByRole("alert")).toContainText("This one fails.");
  await clear(page, "execution");
  await page.getByRole("button", { name: "Retry" }).click();
  await clear(page, "ways to retry");
  await page.keyboard.press("Escape");
  await face(page, "Label").dblclick();
  await expect(dialog(page)).toBeVisible();
  await clear(page, "node of an execution");

  await open(page, await store(page.request, token, many(100, "Barriers of a large canvas")));
  await clear(page, "large canvas");
  await page.goto("/workflows/new");
  await expect(page.getByText("Add the first step")).toBeVisible();
  await clear(page, "empty canvas");
});

test("the editor's dialogs have no serious barrier, wide or narrow, light or dark", async ({ page, context }) => {
  test.setTimeout(600_000);
  await page.emulateMedia({ reducedMotion: "reduce" });
  const token = await enter(page);
  const nodes = [
    node("Hook", "webhook", [0, 0], { path: `barriers-${Date.now()}` }, 2),
    node("Label", "noOp", [220, 0]),
    node("Call", "httpRequest", [440, 0], { url: "https://example.org", authentication: "genericCredentialType", genericAuthType: "httpBasicAuth" }, 4.2),
  ];
  await open(page, await store(page.request, token, { name: "Barriers of dialogs", nodes, connections: chain("Hook", "Label", "Call") }));
  const shut = async () => {
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
  };
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("option").first()).toBeVisible();
  await clear(page, "palette");
  await shut();
  await page.getByRole("button", { name: "Publish" }).click();
  await clear(page, "publish");
  await dialog(page).getByRole("button", { name: "Publish" }).click();
  await expect(page.locator(".top .status.success")).toHaveCount(1);
  await face(page, "Label").click();
  for (const [key, state] of [["F2", "rename"], ["c", "connect"], ["Control+g", "group"]] as const) {
    await page.keyboard.press(key);
    await expect(dialog(page)).toBeVisible();
    await clear(page, state);
    await shut();
  }
  await face(page, "Label").click();
  await face(page, "Call").click({ modifiers: ["Control"] });
  await page.keyboard.press("Shift+X");
  await expect(page.getByRole("dialog", { name: "Convert to a sub-workflow" })).toBeVisible();
  await clear(page, "sub-workflow");
  await shut();
  await page.locator(".react-flow__pane").click({ position: { x: 300, y: 20 } });
  await face(page, "Label").click();
  await page.keyboard.press("d");
  await expect(page.locator(".save.saved")).toHaveCount(1);
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(dialog(page).locator(".differences")).toBeVisible();
  await clear(page, "publish again");
  await shut();
  await page.getByRole("button", { name: "More" }).click();
  await clear(page, "menu");
  await page.getByRole("menuitem", { name: "Versions" }).click();
  await dialog(page).getByRole("button", { name: /^Version 1/ }).click();
  await expect(dialog(page).locator(".differences")).toBeVisible();
  await clear(page, "versions");
  await shut();

  await face(page, "Call").dblclick();
  await dialog(page).getByLabel(/Credential · /).selectOption("new");
  await expect(page.getByRole("dialog", { name: "New credential" })).toBeVisible();
  await clear(page, "credential of a node");

  const two = await store(page.request, token, { name: "Barriers of a conflict", nodes: [node("Start", "manualTrigger", [0, 0]), node("First", "noOp", [240, 60]), node("Last", "noOp", [500, 20])], connections: chain("Start", "First", "Last") });
  await open(page, two);
  await conflict(page, context, two);
  await clear(page, "conflict");
  await page.unroute(`**/api/v1/workflows/${two}`);
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(dialog(page).locator(".differences")).toBeVisible();
  await clear(page, "comparison");
});
