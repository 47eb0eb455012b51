import { expect, test } from "@playwright/test";
import { chain, enter, node, store } from "./editor/workbench";
import { clear } from "./session";

test("no page but the canvas has a serious barrier, wide or narrow, light or dark", async ({ page }) => {
  test.setTimeout(300_000);
  await page.emulateMedia({ reducedMotion: "reduce" });
  const seen = (name: string | RegExp) => expect(page.getByRole("heading", { name }).first()).toBeVisible();

  const token = await enter(page);
  await page.context().clearCookies();
  await page.goto("/");
  await seen("Sign in");
  await clear(page, "sign in");
  await page.route("**/auth/setup", (route) => route.fulfill({ json: { success: true, data: { needs_owner: true, registration: "closed" } } }));
  await page.reload();
  await seen("Set up your Weft");
  await clear(page, "set-up");
  await page.unroute("**/auth/setup");

  await enter(page);
  const give = async (method: "post" | "put", path: string, data: unknown) => {
    const answer = await page.request[method](`/api/v1${path}`, { data, headers: { Authorization: `Bearer ${token}` } });
    expect(answer.ok(), await answer.text()).toBe(true);
    return ((await answer.json()) as { data: { id: string } }).data;
  };
  const mark = `barrier ${Date.now()}`;
  const nodes = [
    node("Start", "manualTrigger", [0, 0]),
    node("Label", "set", [220, 0], { assignments: { assignments: [{ id: "1", name: "label", type: "string", value: "={{ $json.n }}" }] } }, 3.4),
    node("Stop", "stopAndError", [440, 0], { errorMessage: "This one fails." }),
  ];
  const workflow = await store(page.request, token, { name: mark, nodes, connections: chain("Start", "Label", "Stop") });
  await give("post", `/workflows/${workflow}/execute?wait=20`, {});
  await give("put", "/variables/barrier", { value: "eu" });
  await give("post", "/tags", { name: mark });
  await give("post", "/credentials", { name: mark, type: "httpBasicAuth", data: { user: "ada", password: "demo" } });
  await give("post", "/api-keys", { name: mark });

  for (const [path, heading] of [
    ["/", "Good to see you"], ["/workflows", "Workflows"], ["/executions", "Executions"], ["/variables", "Variables"], ["/tags", "Tags"],
    ["/settings/api-keys", "Settings"], ["/settings", "Settings"],
  ] as const) {
    await page.goto(path);
    await seen(new RegExp(heading));
    await clear(page, path);
  }
  await page.goto("/workflows/no-such");
  await expect(page.getByRole("alert")).toContainText("That did not work");
  await clear(page, "error page");
  await page.goto("/executions?data=no:such");
  await expect(page.getByText("Nothing found")).toBeVisible();
  await clear(page, "no executions");
  await page.route(/\/api\/v1\/workflows\?/, (route) => route.fulfill({ json: { success: true, data: [], pagination: { page: 1, total: 0, total_pages: 0 } } }));
  await page.goto("/workflows");
  await expect(page.getByText("No workflows yet")).toBeVisible();
  await clear(page, "no workflows");
  await page.unroute(/\/api\/v1\/workflows\?/);

  await page.goto("/credentials");
  await expect(page.getByRole("row", { name: new RegExp(mark) })).toBeVisible();
  await clear(page, "credentials");
  await page.getByRole("button", { name: "New credential" }).first().click();
  await page.getByLabel("Type").selectOption("postgres");
  await clear(page, "credential");
});
