import { expect, type Page, test } from "@playwright/test";
import { chain, face, node, open, store } from "../editor/workbench";

// Pictures of every page in every form, for people to look at: `WEFT_SERVER=… npx playwright test e2e/pictures`, on a server
// that `make seed` has filled. They lie in `pictures/`.
const person = { email: "ada@example.org", password: "weft demo passphrase" };
const FORMS = {
  light: { width: 1280, height: 800, colorScheme: "light" },
  dark: { width: 1280, height: 800, colorScheme: "dark" },
  narrow: { width: 360, height: 740, colorScheme: "light" },
  wide: { width: 3840, height: 2160, colorScheme: "light" },
} as const;

/** Nothing is being fetched or moving any more. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState("networkidle");
  await expect(page.locator(".skeleton, .opening")).toHaveCount(0);
}

for (const [form, { width, height, colorScheme }] of Object.entries(FORMS)) {
  test(form, async ({ browser, baseURL }) => {
    test.setTimeout(600_000);
    const page = await browser.newPage({ viewport: { width, height }, colorScheme, reducedMotion: "reduce", ...(baseURL && { baseURL }) });
    const picture = async (name: string) => {
      await settled(page);
      await page.screenshot({ path: `pictures/${form}/${name}.png` });
    };
    await page.goto("/");
    await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
    await picture("sign-in");
    const answer = await page.request.post("/api/v1/auth/login", { data: person });
    expect(answer.ok(), await answer.text()).toBe(true);
    for (const path of ["overview", "workflows", "executions", "credentials", "variables", "tags", "settings", "settings/api-keys"]) {
      await page.goto(path === "overview" ? "/" : `/${path}`);
      await picture(path.replace("/", "-"));
    }
    await page.goto("/executions?data=no:such");
    await picture("executions-none");
    await page.goto("/workflows/no-such");
    await picture("editor-failed");
    await page.goto("/credentials");
    await page.getByRole("button", { name: "New credential" }).first().click();
    await page.getByLabel("Type").selectOption("postgres");
    await picture("credential");
    await page.goto("/workflows");
    await page.getByRole("link", { name: "Sort support tickets" }).click();
    await expect(page.locator(".react-flow[data-nodes]:not([data-nodes='0'])")).toBeVisible();
    await picture("editor");
    await page.locator('[data-node="Urgent?"]').dblclick();
    await picture("node");
    await page.goto("/executions?status=error");
    await page.getByRole("link", { name: "Always fails" }).first().click();
    await expect(page.getByRole("alert")).toBeVisible();
    await picture("execution-failed");
    await page.close();
  });
}

// The README's pictures: an editor and a node after a run. They are kept in docs/images.
test("readme", async ({ browser, baseURL }) => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, colorScheme: "light", reducedMotion: "reduce", ...(baseURL && { baseURL }) });
  const signedIn = await page.request.post("/api/v1/auth/login", { data: person });
  expect(signedIn.ok(), await signedIn.text()).toBe(true);
  const { access_token } = ((await signedIn.json()) as { data: { access_token: string } }).data;
  const large = { id: "1", leftValue: "={{ $json.total }}", rightValue: 100, operator: { type: "number", operation: "gte" } };
  const options = { caseSensitive: true, typeValidation: "loose", version: 2 };
  const set = (id: string, name: string, value: string) => ({ assignments: { assignments: [{ id, name, type: "string", value }] }, includeOtherFields: true, options: {} });
  const orders = "return [['Ada', 42], ['Grace', 130], ['Edsger', 18], ['Barbara', 250], ['Alan', 99], ['Radia', 310]]\n  .map(([customer, total], n) => ({ json: { order: 1001 + n, customer, total } }))";
  const nodes = [
    node("Every morning", "scheduleTrigger", [0, 0], { rule: { interval: [{ field: "days", triggerAtHour: 7 }] } }, 1.2),
    node("Orders", "code", [220, 0], { jsCode: orders }, 2),
    node("One at a time", "splitInBatches", [440, 0], { batchSize: 1, options: {} }, 3),
    node("Large?", "if", [660, 100], { conditions: { options, combinator: "and", conditions: [large] }, options: {} }, 2.2),
    node("Ask a person", "set", [880, 20], set("2", "status", "={{ $json.customer }} waits for approval"), 3.4),
    node("Confirm", "set", [880, 200], set("3", "status", "={{ $json.customer }} is served"), 3.4),
    node("Report", "summarize", [660, -120], { fieldsToSummarize: { values: [{ aggregation: "sum", field: "total" }] }, options: {} }, 1.1),
  ];
  const to = (name: string) => ({ node: name, type: "main", index: 0 });
  const connections = {
    ...chain("Every morning", "Orders", "One at a time"),
    "One at a time": { main: [[to("Report")], [to("Large?")]] },
    "Large?": { main: [[to("Ask a person")], [to("Confirm")]] },
    ...chain("Ask a person", "One at a time"),
    ...chain("Confirm", "One at a time"),
  };
  await open(page, await store(page.request, access_token, { name: "Morning orders", nodes, connections, settings: { executionOrder: "v1" } }));
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator('[data-node="Report"][data-status="success"]')).toBeVisible();
  await settled(page);
  await page.screenshot({ path: "pictures/readme/editor.png" });
  await face(page, "Ask a person").dblclick();
  await expect(page.getByText("Radia waits for approval")).toHaveCount(2);
  await settled(page);
  await page.screenshot({ path: "pictures/readme/node.png" });
  await page.close();
});
