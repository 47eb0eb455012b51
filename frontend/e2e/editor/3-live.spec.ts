import { expect, test, type WebSocketRoute } from "@playwright/test";
import { chain, enter, face, node, open, rested, store } from "./workbench";

interface Frame {
  type: string;
  seq?: number;
  data: { execution_id?: string; node?: string };
}

declare global {
  interface Window {
    /** Node and status, in the order in which the page showed them. */
    seenStates: [string, string][];
  }
}

const COUNT = 200;
const names = ["Start", ...Array.from({ length: COUNT - 1 }, (_, index) => `Step ${index + 1}`)];
const inRows = names.map((name, index) => node(name, index === 0 ? "manualTrigger" : "noOp", [(index % 20) * 220, Math.floor(index / 20) * 120]));

test("a run of two hundred nodes is followed without a missed or turned state, also when the connection drops", async ({ page }) => {
  const token = await enter(page);
  const id = await store(page.request, token, { name: "Two hundred", nodes: inRows, connections: chain(...names) });
  let drops = 0;
  const heard: Frame[] = [];
  await page.routeWebSocket("**/api/v1/ws", (socket: WebSocketRoute) => {
    const server = socket.connectToServer();
    let finished = 0;
    let closed = false;
    server.onMessage((message) => {
      const frame = JSON.parse(String(message)) as Frame;
      if (closed) return;
      socket.send(message);
      if (frame.data.execution_id && frame.seq !== undefined) heard.push(frame);
      if (frame.type !== "node.completed" || ++finished < 40 || drops >= 2) return;
      drops++;
      closed = true;
      void socket.close({ code: 1012 });
      void server.close();
    });
  });
  await open(page, id);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("Step 65");
  await page.keyboard.press("Enter");
  await rested(page);
  const watched = await page.locator(".face").evaluateAll((faces) => {
    window.seenStates = [];
    const changes = new MutationObserver((records) => {
      for (const { target } of records) if (target instanceof HTMLElement) window.seenStates.push([target.dataset.node ?? "", target.dataset.status ?? ""]);
    });
    for (const face of faces) changes.observe(face, { attributeFilter: ["data-status"] });
    return faces.map((face) => face.getAttribute("data-node") ?? "");
  });
  expect(watched.length).toBeGreaterThan(15);

  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator(".run-state").getByText("Succeeded")).toBeVisible();
  expect(drops).toBe(2);

  const completed = heard.filter((frame) => frame.type === "node.completed").map((frame) => frame.data.node);
  expect(new Set(completed).size).toBe(COUNT);
  const states = await page.evaluate(() => window.seenStates);
  const order = ["idle", "running", "success"];
  for (const name of watched) {
    const own = states.filter(([each]) => each === name).map(([, status]) => order.indexOf(status));
    expect(own, name).toEqual([...own].sort((left, right) => left - right));
    expect(own.at(-1), name).toBe(2);
  }
  const done = states.filter(([, status]) => status === "success").map(([name]) => names.indexOf(name));
  expect(done).toEqual([...done].sort((left, right) => left - right));
  for (const name of ["Start", "Step 41", "Step 81", "Step 120", "Step 199"]) {
    await page.keyboard.press("Control+k");
    await page.keyboard.type(name);
    await page.keyboard.press("Enter");
    await expect(face(page, name)).toHaveAttribute("data-status", "success");
  }
});

test("connections count the items of all runs of a loop", async ({ page }) => {
  const token = await enter(page);
  const items = { mode: "raw", jsonOutput: "={{ $json }}" };
  const nodes = [
    node("Start", "manualTrigger", [0, 0]),
    node("List", "code", [220, 0], { jsCode: "return [1, 2, 3, 4, 5].map((n) => ({ json: { n } }));" }, 2),
    node("Loop", "splitInBatches", [440, 0], { batchSize: 2, options: {} }, 3),
    node("Each", "set", [660, 120], items, 3.4),
    node("End", "noOp", [660, -60]),
  ];
  const to = (name: string) => [{ node: name, type: "main", index: 0 }];
  const connections = { ...chain("Start", "List", "Loop"), Loop: { main: [to("End"), to("Each")] }, Each: { main: [to("Loop")] } };
  await open(page, await store(page.request, token, { name: "Loop", nodes, connections }));
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator(".run-state").getByText("Succeeded")).toBeVisible();
  await expect(face(page, "Each").locator(".mark i")).toHaveText("3");
  await expect(page.locator(".link-tools .count")).toHaveText(["1 item", "5 items", "5 items", "5 items", "5 items"]);
});
