import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

export const owner = { email: "owner@example.org", password: "a long enough passphrase" };

/** No violation that axe calls serious or critical. */
export async function nothingSerious(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page }).analyze();
  const serious = found.violations.filter((each) => each.impact === "serious" || each.impact === "critical");
  expect(serious.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
}

/** Signs in as the owner that the first journey has made. */
export async function signIn(page: Page, path = "/"): Promise<void> {
  await page.goto(path);
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: "Sign in" })).toHaveCount(0);
}

/** A small workflow as n8n writes it. */
export const n8n = (name: string, nodes: unknown[], connections: unknown): string =>
  JSON.stringify({ name, nodes, connections, settings: { executionOrder: "v1" }, pinData: {} });
