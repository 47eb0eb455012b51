import { expect, type Locator, type Page, test } from "@playwright/test";
import { n8n, nothingSerious } from "../session";
import { enter, face, paste, rested, saved, stored } from "./workbench";

async function signIn(page: Page, path: string): Promise<void> {
  await enter(page);
  await page.goto(path);
}

async function add(page: Page, search: string, name: string): Promise<void> {
  const panel = page.getByRole("complementary", { name: "Add a node" });
  await panel.getByRole("combobox").fill(search);
  await expect(panel.getByRole("option").first()).toContainText(name);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
}

test("a workflow is built by mouse and keyboard, run, published, called, and its execution found", async ({ page, request }) => {
  await signIn(page, "/workflows");
  await page.getByRole("button", { name: "New workflow" }).click();
  await page.getByRole("button", { name: "Add the first step" }).click();
  await nothingSerious(page);
  await add(page, "webhok", "Webhook");
  await page.getByRole("textbox", { name: "Path" }).fill("journey");
  await page.getByLabel("Response mode", { exact: true }).selectOption({ label: "When the last node finishes" });
  await nothingSerious(page);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await face(page, "Webhook").hover();
  await page.getByRole("button", { name: "Add a node after Webhook" }).click();
  await add(page, "edit fields", "Edit Fields");
  await page.getByRole("button", { name: "Add a field, or drop one here" }).click();
  const field = page.getByRole("group", { name: "Field 1" });
  await field.getByLabel("Name").fill("answer");
  await field.getByRole("textbox", { name: "Value" }).fill("{{ 40 + 2 }}");
  await expect(field.getByLabel("Result")).toHaveText("42");
  await page.keyboard.press("Escape");
  if (await page.getByRole("dialog").count()) await page.getByRole("button", { name: "Close" }).click();
  await expect(page.locator(".react-flow__edge")).toHaveCount(1);

  await page.getByLabel("Name", { exact: true }).fill("Journey");
  await saved(page);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('[data-node="Edit Fields"][data-status="success"]')).toBeVisible();
  await nothingSerious(page);

  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await expect(page.locator(".top .status")).toHaveText("Published");
  const answer = await request.get("/webhook/journey");
  expect(await answer.json()).toMatchObject({ answer: "42" });

  await page.getByRole("link", { name: "Workflows" }).click();
  await page.getByRole("link", { name: "Executions" }).click();
  const run = page.getByRole("row", { name: /Journey.*Webhook/ });
  await expect(run).toContainText("Succeeded");
  await run.getByRole("link", { name: "Journey" }).click();
  await face(page, "Edit Fields").dblclick();
  await expect(page.getByRole("region", { name: "Output", exact: true })).toContainText("42");
});

const journey = (name: string, path: string) => ({
  /** What the built workflow answers to a call of its address, a test one or not. */
  answers: async (page: Page, kind: "webhook" | "webhook-test"): Promise<void> => {
    const answer = await page.request.post(`/${kind}/${path}`, { data: { amount: 42 } });
    expect(answer.status(), await answer.text()).toBe(200);
    expect(await answer.json()).toEqual({ size: "large" });
  },
  /** The nodes and connections that both ways of building make. */
  isStored: async (page: Page, token: string): Promise<void> => {
    await saved(page);
    const { connections, nodes } = await stored(page.request, token, page.url().split("/").at(-1) ?? "");
    const to = (node: string, index = 0) => ({ node, type: "main", index });
    expect(connections).toEqual({
      Webhook: { main: [[to("Edit Fields")]] },
      "Edit Fields": { main: [[to("If")]] },
      If: { main: [[to("Edit Fields1")], [to("Edit Fields2")]] },
      "Edit Fields1": { main: [[to("Merge")]] },
      "Edit Fields2": { main: [[to("Merge", 1)]] },
      Merge: { main: [[to("Respond to Webhook")]] },
    });
    expect(nodes.find((each) => each.name === "Edit Fields")?.parameters).toMatchObject({ assignments: { assignments: [{ name: "amount", value: "={{ $json.body.amount }}" }] } });
  },
  name,
  path,
});

test("two branches are built, joined, tested, published and called by mouse", async ({ page }) => {
  const token = await enter(page);
  const { name, path, answers, isStored } = journey("By mouse", `mouse-${Date.now()}`);
  const dialog = page.getByRole("dialog");
  const close = async () => {
    await dialog.getByRole("button", { name: "Close" }).click();
    await expect(dialog).toHaveCount(0);
  };
  const after = async (node: string, search: string, type: string) => {
    await face(page, node).hover();
    await page.getByRole("button", { name: `Add a node after ${node}`, exact: true }).first().click();
    await add(page, search, type);
  };
  const assign = async (field: string, value: string) => {
    await dialog.getByRole("button", { name: "Add a field, or drop one here" }).click();
    await dialog.getByRole("group", { name: "Field 1" }).getByLabel("Name").fill(field);
    await dialog.getByRole("group", { name: "Field 1" }).getByRole("textbox", { name: "Value" }).fill(value);
  };
  await page.goto("/workflows/new");
  await page.getByRole("button", { name: "Add the first step" }).click();
  await add(page, "webhook", "Webhook");
  await dialog.getByLabel("HTTP method", { exact: true }).selectOption("POST");
  await dialog.getByRole("textbox", { name: "Path" }).fill(path);
  await dialog.getByLabel("Response mode", { exact: true }).selectOption({ label: "By a Respond to Webhook node" });
  await close();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await after("Webhook", "edit fields", "Edit Fields");
  await close();

  // a call that nothing answers yet brings the data that the expression is made of
  await page.getByRole("button", { name: "Listen for a test call" }).click();
  await expect(page.getByRole("button", { name: "Stop listening" })).toBeVisible();
  await page.request.post(`/webhook-test/${path}`, { data: { amount: 42 } });
  await expect(page.locator('[data-node="Webhook"][data-status="success"]')).toBeVisible();
  await face(page, "Edit Fields").dblclick();
  await dialog.getByRole("region", { name: "Input", exact: true }).getByTitle("{{ $json.body.amount }}").dragTo(dialog.getByRole("button", { name: "Add a field, or drop one here" }));
  await expect(dialog.getByRole("group", { name: "Field 1" }).getByLabel("Result")).toHaveText("42");
  await dialog.getByRole("button", { name: "Run this node" }).click();
  await expect(dialog.getByRole("region", { name: "Output", exact: true }).getByRole("region")).toContainText("amount");
  await close();

  await after("Edit Fields", "if", "If");
  await dialog.getByRole("button", { name: "Add a condition" }).click();
  const condition = dialog.getByRole("group", { name: "Condition 1" });
  await dialog.getByRole("region", { name: "Input", exact: true }).getByTitle("{{ $json.amount }}").dragTo(condition.getByRole("textbox", { name: "Value", exact: true }));
  await condition.getByRole("textbox", { name: "Compared with" }).fill("42");
  await close();
  await after("If", "edit fields", "Edit Fields");
  await assign("size", "large");
  await close();
  await after("If", "edit fields", "Edit Fields");
  await assign("size", "small");
  await close();
  await after("Edit Fields1", "merge", "Merge");
  await close();
  await page.getByRole("button", { name: "Zoom to fit" }).click();
  await rested(page);
  await face(page, "Edit Fields2").locator(".react-flow__handle-right").hover();
  await page.mouse.down();
  await face(page, "Merge").locator(".react-flow__handle-left").nth(1).hover();
  await page.mouse.up();
  await after("Merge", "respond", "Respond to Webhook");
  await close();
  await isStored(page, token);

  await page.getByRole("button", { name: "Listen for a test call" }).click();
  await expect(page.getByRole("button", { name: "Stop listening" })).toBeVisible();
  await answers(page, "webhook-test");
  await expect(page.locator('[data-node="Respond to Webhook"][data-status="success"]')).toBeVisible();
  await page.getByRole("button", { name: "Publish" }).click();
  await dialog.getByRole("button", { name: "Publish" }).click();
  await expect(page.locator(".top .status")).toHaveText("Published");
  await answers(page, "webhook");

  await page.getByRole("link", { name: "Workflows" }).click();
  await page.getByRole("link", { name: "Executions" }).click();
  await page.getByRole("row", { name: /By mouse.*Webhook/ }).first().getByRole("link", { name }).click();
  await expect(page.locator('[data-node="Edit Fields1"][data-status="success"]')).toBeVisible();
  await expect(page.locator('[data-node="Edit Fields2"][data-status="idle"]')).toBeVisible();
  // only what has failed is retried
  await expect(page.locator(".top").getByText("Succeeded")).toBeVisible();
  await expect(page.getByRole("button", { name: "Retry" })).toHaveCount(0);
});

/** Presses Tab until what is meant has the keyboard, as who has no mouse does. */
async function tabTo(page: Page, target: Locator, key = "Tab"): Promise<void> {
  await expect(target).toBeVisible();
  for (let stops = 0; !(await target.evaluate((each) => each === document.activeElement)); stops++) {
    expect(stops, `no way by Tab to ${target.toString()}`).toBeLessThan(60);
    await page.keyboard.press(key);
  }
}

test("the same is built, tested, published and called by keyboard alone", async ({ page }) => {
  test.slow(); // some hundred keys
  const token = await enter(page);
  const { name, path, answers, isStored } = journey("By keyboard", `keyboard-${Date.now()}`);
  const dialog = page.getByRole("dialog");
  const press = (...keys: string[]) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const type = (text: string) => page.keyboard.type(text);
  const activate = async (target: Locator) => {
    await tabTo(page, target);
    await press("Enter");
  };
  const write = async (field: Locator, text: string) => {
    await tabTo(page, field);
    await press("Control+a");
    await type(text);
  };
  /** Closes the open node; the keyboard is on it on the canvas again. */
  const close = async (node: string) => {
    await press("Escape");
    await expect(dialog).toHaveCount(0);
    await expect(page.locator(".react-flow__node:focus .face")).toHaveAttribute("data-node", node);
  };
  const addNext = async (search: string, name: string) => {
    await press("n");
    const panel = page.getByRole("complementary", { name: "Add a node" });
    await expect(panel.getByRole("combobox")).toBeFocused();
    await type(search);
    await expect(panel.getByRole("option").first()).toContainText(name);
    await press("Enter");
    await expect(dialog).toBeVisible();
  };
  const assign = async (name: string, value: string) => {
    await activate(dialog.getByRole("button", { name: "Add a field, or drop one here" }));
    const field = dialog.getByRole("group", { name: "Field 1" });
    await tabTo(page, field.getByRole("textbox", { name: "Name" }), "Shift+Tab");
    await type(name);
    await tabTo(page, field.getByRole("textbox", { name: "Value" }));
    await type(value);
  };
  await page.goto("/workflows/new");
  await activate(page.getByRole("button", { name: "Add the first step" }));
  await type("webhook");
  await expect(page.getByRole("option").first()).toContainText("Webhook");
  await press("Enter");
  await tabTo(page, dialog.getByLabel("HTTP method", { exact: true }));
  await type("POST");
  await write(dialog.getByRole("textbox", { name: "Path" }), path);
  await tabTo(page, dialog.getByLabel("Response mode", { exact: true }));
  await type("By a Respond");
  await close("Webhook");
  await addNext("edit fields", "Edit Fields");
  await close("Edit Fields");
  await write(page.getByRole("textbox", { name: "Name", exact: true }), name);
  await saved(page);
  await activate(page.getByRole("button", { name: "Listen for a test call" }));
  await expect(page.getByRole("button", { name: "Stop listening" })).toBeVisible();
  await page.request.post(`/webhook-test/${path}`, { data: { amount: 42 } });
  await expect(page.locator('[data-node="Webhook"][data-status="success"]')).toBeVisible();

  await activate(page.getByRole("button", { name: "Workflow with 2 nodes" }));
  await expect(page.locator(".react-flow__node:focus .face")).toHaveAttribute("data-node", "Edit Fields");
  await press("Enter");
  await assign("amount", "{{ $json.body.am");
  await expect(page.getByRole("option", { name: "$json.body.amount" })).toBeVisible();
  await press("Enter");
  await type(" }}");
  await expect(dialog.getByRole("group", { name: "Field 1" }).getByLabel("Result")).toHaveText("42");
  await close("Edit Fields");
  await addNext("if", "If");
  await activate(dialog.getByRole("button", { name: "Add a condition" }));
  const condition = dialog.getByRole("group", { name: "Condition 1" });
  await tabTo(page, condition.getByRole("textbox", { name: "Value", exact: true }), "Shift+Tab");
  await type("{{ $json.amount }}");
  await write(condition.getByRole("textbox", { name: "Compared with" }), "42");
  await close("If");
  await addNext("edit fields", "Edit Fields");
  await assign("size", "large");
  await close("Edit Fields1");
  await addNext("merge", "Merge");
  await close("Merge");
  await press("ArrowLeft", "ArrowLeft");
  await expect(page.locator(".react-flow__node:focus .face")).toHaveAttribute("data-node", "If");
  await addNext("edit fields", "Edit Fields");
  await assign("size", "small");
  await close("Edit Fields2");
  await press("c");
  await type("Merge");
  await activate(dialog.getByRole("button", { name: /Merge · Input 2$/ }));
  await expect(dialog).toHaveCount(0);
  await press("ArrowRight");
  await expect(page.locator(".react-flow__node:focus .face")).toHaveAttribute("data-node", "Merge");
  await addNext("respond", "Respond to Webhook");
  await close("Respond to Webhook");
  await isStored(page, token);

  await activate(page.getByRole("button", { name: "Listen for a test call" }));
  await expect(page.getByRole("button", { name: "Stop listening" })).toBeVisible();
  await answers(page, "webhook-test");
  await expect(page.locator('[data-node="Respond to Webhook"][data-status="success"]')).toBeVisible();
  await activate(page.getByRole("button", { name: "Publish" }));
  await activate(dialog.getByRole("button", { name: "Publish" }));
  await expect(page.locator(".top .status")).toHaveText("Published");
  await answers(page, "webhook");

  await activate(page.getByRole("link", { name: "Workflows" }));
  await activate(page.getByRole("link", { name: "Executions" }));
  await activate(page.getByRole("row", { name: /By keyboard.*Webhook/ }).first().getByRole("link", { name }));
  await expect(page.locator('[data-node="Edit Fields1"][data-status="success"]')).toBeVisible();
  await expect(page.locator(".top").getByText("Succeeded")).toBeVisible();
});

test("a draft listens for one test call, which lights up on the canvas", async ({ page, request }) => {
  await signIn(page, "/workflows/new");
  await expect(page.getByText("Add the first step")).toBeVisible();
  const nodes = [
    { id: "1", name: "Hook", type: "n8n-nodes-base.webhook", typeVersion: 2, position: [0, 0], webhookId: "w", parameters: { path: "listens", responseMode: "lastNode" } },
    { id: "2", name: "Mark", type: "n8n-nodes-base.noOp", typeVersion: 1, position: [220, 0], parameters: {} },
  ];
  await paste(page, n8n("Listens", nodes, { Hook: { main: [[{ node: "Mark", type: "main", index: 0 }]] } }));
  await saved(page);
  await page.getByRole("button", { name: "Listen" }).click();
  await expect(page.getByRole("button", { name: "Stop listening" })).toBeVisible();
  expect((await request.get("/webhook-test/listens?n=1")).status()).toBe(200);
  await expect(page.locator('[data-node="Mark"][data-status="success"]')).toBeVisible();
  await expect(page.getByRole("button", { name: "Stop listening" })).toHaveCount(0);
  expect((await request.get("/webhook-test/listens?n=2")).status()).toBe(404);
});

test("n8n JSON is pasted, and every change can be undone and redone", async ({ page }) => {
  await signIn(page, "/workflows/new");
  await expect(page.getByText("Add the first step")).toBeVisible();
  const nodes = [
    { id: "1", name: "Start", type: "n8n-nodes-base.manualTrigger", typeVersion: 1, position: [0, 0], parameters: {} },
    { id: "2", name: "Mark", type: "n8n-nodes-base.noOp", typeVersion: 1, position: [220, 0], parameters: { note: "={{ $('Start').item.json.x }}" } },
  ];
  await paste(page, n8n("Pasted", nodes, { Start: { main: [[{ node: "Mark", type: "main", index: 0 }]] } }));
  await expect(face(page, "Mark")).toBeVisible();
  await paste(page, "no workflow");
  await expect(page.getByText("The clipboard holds no workflow.")).toBeVisible();

  await face(page, "Start").click();
  await page.keyboard.press("F2");
  await page.getByLabel("Name of the node").fill("Begin");
  await page.keyboard.press("Enter");
  await expect(face(page, "Begin")).toBeVisible();
  await face(page, "Mark").click();
  await page.keyboard.press("d");
  await expect(face(page, "Mark")).toHaveClass(/disabled/);
  await page.keyboard.press("Delete");
  await expect(face(page, "Mark")).toHaveCount(0);

  for (let step = 0; step < 4; step++) await page.keyboard.press("Control+z");
  await expect(page.locator(".face")).toHaveCount(0);
  for (let step = 0; step < 3; step++) await page.keyboard.press("Control+Shift+z");
  await expect(face(page, "Mark")).toHaveClass(/disabled/);
  await expect(face(page, "Begin")).toBeVisible();
  const copied = await page.evaluate(() => {
    const event = new ClipboardEvent("copy", { clipboardData: new DataTransfer(), bubbles: true });
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "a", ctrlKey: true, bubbles: true }));
    return new Promise<string>((resolve) => requestAnimationFrame(() => { document.dispatchEvent(event); resolve(event.clipboardData?.getData("text/plain") ?? ""); }));
  });
  expect(copied).toContain("$('Begin').item.json.x");
  await saved(page);
});

test("a change elsewhere is seen as a conflict", async ({ page, context }) => {
  await signIn(page, "/workflows");
  await page.getByRole("link", { name: "Pasted" }).or(page.getByRole("link", { name: "New workflow" })).first().click();
  await expect(page.locator(".face").first()).toBeVisible();
  await saved(page);
  const id = page.url().split("/").at(-1) ?? "";
  const other = await context.newPage();
  await page.route(`**/api/v1/workflows/${id}`, (route) => route.request().method() === "GET" ? route.abort() : route.continue());
  await other.goto(`/workflows/${id}`);
  await other.getByLabel("Name", { exact: true }).fill("Theirs");
  await saved(other);
  await page.getByLabel("Name", { exact: true }).fill("Mine");
  await expect(page.getByText("Someone else has changed this workflow")).toBeVisible();
  await page.unroute(`**/api/v1/workflows/${id}`);
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.getByRole("dialog")).toContainText("Yours is called “Mine”");
  await page.getByRole("button", { name: "Keep mine" }).click();
  await saved(page);
});
