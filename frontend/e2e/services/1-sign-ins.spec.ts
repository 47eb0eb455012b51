import { expect, test } from "@playwright/test";
import { nothingSerious, owner } from "../session";

// Where a provider of sign-ins listens; started, with a Weft of its own, by tests/browser/test_browser_sign_ins.py.
const provider = process.env.WEFT_PROVIDER ?? "";
const key = process.env.WEFT_PROVIDER_KEY ?? "";

test("a credential is tested before it is saved, connected at the service, and tested again", async ({ page }) => {
  await page.goto("/");
  await page.getByLabel("First name").fill("Ada");
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("link", { name: "Credentials" }).click();
  await page.getByRole("button", { name: "New credential" }).first().click();
  const dialog = page.getByRole("dialog");
  const field = (name: string) => dialog.getByLabel(name, { exact: true });
  const test_ = dialog.getByRole("button", { name: "Test", exact: true });

  await dialog.getByLabel("Type").selectOption("Basic Auth");
  await test_.click();
  await expect(dialog.getByText(/can't be tested by themselves/)).toBeVisible();
  await dialog.getByLabel("Type").selectOption("OAuth2 API");
  await expect(dialog.getByText(/can't be tested/)).toHaveCount(0);
  await nothingSerious(page);

  await dialog.getByLabel(/^Grant type/).selectOption("Client credentials");
  await dialog.getByLabel(/^Access token URL/).fill(`${provider}/token`);
  await dialog.getByLabel(/^Client ID/).fill("weft");
  await dialog.getByLabel(/^Client secret/).fill("wrong");
  await field("Scope").fill("read");
  await expect(dialog.getByRole("button", { name: "Connect" })).toHaveCount(0);
  await test_.click();
  await expect(dialog.getByRole("alert")).toContainText("invalid_client");
  await dialog.getByLabel(/^Client secret/).fill(key);
  await test_.click();
  await expect(dialog.getByText("The service has given a token.")).toBeVisible();

  await dialog.getByLabel(/^Grant type/).selectOption("PKCE");
  await dialog.getByLabel(/^Auth URL/).fill(`${provider}/authorize`);
  await field("Name").fill("Provider");
  await expect(dialog.getByText("Not connected yet")).toBeVisible();
  await expect(dialog.getByLabel("Redirect address")).toHaveValue(new URL("/rest/oauth2-credential/callback", page.url()).href);
  const opened = page.waitForEvent("popup");
  await dialog.getByRole("button", { name: "Connect" }).click();
  const consent = await opened;
  await expect(dialog.getByText(/^Connected/)).toBeVisible();
  await expect.poll(() => consent.isClosed(), { message: "the window closes itself" }).toBe(true);
  await nothingSerious(page);
  await test_.click();
  await expect(dialog.getByText("The service has given a token.")).toBeVisible();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toHaveCount(0);

  await expect(page.getByRole("row", { name: /Provider/ })).toContainText("Connected");
  await nothingSerious(page);
  await page.getByRole("row", { name: /Provider/ }).getByRole("button", { name: "Edit" }).click();
  await expect(dialog.getByText(/^Connected/)).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Connect again" })).toBeVisible();
  await test_.click();
  await expect(dialog.getByText("The service has given a token.")).toBeVisible();
});
