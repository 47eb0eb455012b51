import { createHmac } from "node:crypto";
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";

export const owner = { email: "owner@example.org", password: "a long enough passphrase" };

/** No violation that axe calls serious or critical, of its rules with these tags (all without). */
export async function nothingSerious(page: Page, ...tags: string[]): Promise<void> {
  const axe = new AxeBuilder({ page }).setLegacyMode(); // in the page itself, not in a new one each time
  const found = await (tags.length ? axe.withTags(tags).disableRules("color-contrast-enhanced") : axe).analyze();
  const serious = found.violations.filter((each) => each.impact === "serious" || each.impact === "critical");
  expect(serious.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
}

const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };

/** Nothing serious in a state of a page, narrow and wide; in dark only what its colours may break, as nothing else differs. */
export async function clear(page: Page, state: string): Promise<void> {
  await expect(page.locator(".skeleton, .opening")).toHaveCount(0);
  for (const [size, colorScheme, ...tags] of [[NARROW, "light"], [WIDE, "light"], [WIDE, "dark", "cat.color"], [NARROW, "dark", "cat.color"]] as const) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme });
    await test.step(`${state}, ${size.width} px, ${colorScheme}`, () => nothingSerious(page, ...tags));
  }
}

/** Gives the owner's e-mail and password. */
export async function givePassword(page: Page, path = "/"): Promise<void> {
  await page.goto(path);
  await page.getByLabel("E-mail").fill(owner.email);
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Signs in as the owner that the first journey has made. */
export async function signIn(page: Page, path = "/"): Promise<void> {
  await givePassword(page, path);
  await expect(page.getByRole("button", { name: "Sign in" })).toHaveCount(0);
}

/** A small workflow as n8n writes it. */
export const n8n = (name: string, nodes: unknown[], connections: unknown): string =>
  JSON.stringify({ name, nodes, connections, settings: { executionOrder: "v1" }, pinData: {} });

/** The six digits that an authenticator app shows for a secret (RFC 6238). */
export function oneTimeCode(secret: string): string {
  const bits = Array.from(secret, (letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac("sha1", key).update(counter).digest();
  const at = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
