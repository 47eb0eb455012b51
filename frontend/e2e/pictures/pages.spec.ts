import { expect, type Page, test } from "@playwright/test";
import { face } from "../editor/workbench";

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
    await page.getByRole("link", { name: "Support triage" }).click();
    await expect(page.locator(".react-flow[data-nodes]:not([data-nodes='0'])")).toBeVisible();
    await picture("editor");
    await page.locator('[data-node="Topic?"]').dblclick();
    await picture("node");
    await page.goto("/executions?status=error");
    await page.getByRole("link", { name: "Pay the freelancers" }).first().click();
    await expect(page.getByRole("alert")).toBeVisible();
    await picture("execution-failed");
    await page.close();
  });
}

// The README's pictures: the first page, a workflow after a run, a node. They are kept in docs/images, as WebP.
test("readme", async ({ browser, baseURL }) => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, colorScheme: "light", reducedMotion: "reduce", ...(baseURL && { baseURL }) });
  const answer = await page.request.post("/api/v1/auth/login", { data: person });
  expect(answer.ok(), await answer.text()).toBe(true);
  const picture = async (name: string) => {
    await settled(page);
    await page.screenshot({ path: `pictures/readme/${name}.png` });
  };
  await page.goto("/");
  await picture("overview");
  await page.goto("/workflows");
  await page.getByRole("link", { name: "Invoice sync" }).click();
  await page.locator(".runbar").getByRole("button", { name: "Run", exact: true }).click();
  await expect(face(page, "Total due").and(page.locator('[data-status="success"]'))).toBeVisible();
  await picture("editor");
  await face(page, "Write a reminder").dblclick();
  await expect(page.getByRole("region", { name: "Output", exact: true }).getByText(/^Dear/)).toBeVisible();
  await page.getByRole("textbox", { name: "Value" }).click();
  await picture("node");
  await page.close();
});
