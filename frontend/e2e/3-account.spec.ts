import { expect, test } from "@playwright/test";
import { givePassword, nothingSerious, oneTimeCode, signIn } from "./session";

test("a second factor is set up, asked for, and replaced by a recovery code; sessions can be ended", async ({ page, browser }) => {
  await signIn(page, "/settings");
  await page.getByRole("button", { name: "Set up" }).click();
  await expect(page.getByRole("img", { name: /Scan this/ })).toBeVisible();
  await nothingSerious(page);
  const secret = await page.getByLabel("Or enter this key by hand").inputValue();
  await page.getByLabel("Code", { exact: true }).fill("000000");
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Code", { exact: true }).fill(oneTimeCode(secret));
  await page.getByRole("button", { name: "Turn on" }).click();
  const codes = (await page.getByLabel("Recovery codes").innerText()).split("\n");
  expect(codes).toHaveLength(10);
  await nothingSerious(page);

  const elsewhere = await browser.newPage();
  await givePassword(elsewhere);
  await elsewhere.getByLabel("Code", { exact: true }).fill("000000");
  await elsewhere.getByRole("button", { name: "Sign in" }).click();
  await expect(elsewhere.getByRole("alert")).toBeVisible();
  await elsewhere.getByLabel("Code", { exact: true }).fill(codes[0] ?? "");
  await elsewhere.getByRole("button", { name: "Sign in" }).click();
  await expect(elsewhere.getByRole("link", { name: "Workflows" })).toBeVisible();
  await elsewhere.close();

  await page.reload();
  await expect(page.getByText("9 recovery codes are left.")).toBeVisible();
  const others = page.getByRole("button", { name: "End", exact: true });
  await expect(others).not.toHaveCount(0);
  const before = await others.count();
  await others.first().click();
  await expect(others).toHaveCount(before - 1);

  await page.getByLabel("Code", { exact: true }).fill(codes[1] ?? "");
  await page.getByRole("button", { name: "Turn off" }).click();
  await expect(page.getByRole("button", { name: "Set up" })).toBeVisible();
});

test("a chosen theme holds against the system's, a tested credential says its result in view, a dialog gives the focus back", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await signIn(page, "/settings");
  const ground = () => page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
  const light = await ground();
  await page.getByRole("button", { name: "Dark", exact: true }).click();
  expect(await ground()).not.toBe(light);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.getByRole("button", { name: "Light", exact: true }).click();
  expect(await ground()).toBe(light);
  await page.getByRole("button", { name: "As the system" }).click();
  expect(await ground()).not.toBe(light);

  await page.getByRole("link", { name: "Credentials" }).click();
  const create = page.getByRole("button", { name: "New credential" }).first();
  await create.click();
  await page.getByLabel("Type").selectOption("postgres");
  const attempt = page.getByRole("dialog").getByRole("button", { name: "Test" });
  await attempt.click();
  await expect(page.getByRole("dialog").locator(".notice")).toBeInViewport();
  await expect(attempt).toBeFocused();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(create).toBeFocused();
});
