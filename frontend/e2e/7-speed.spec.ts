import { type Browser, expect, type Page, test } from "@playwright/test";
import { enter, many, open, store } from "./editor/workbench";

declare global {
  interface Window {
    shift: number;
    quiet: number;
  }
}

/** What of a page is measured: ms to what is waited for, ms until no task of 50 ms or more runs any more, ms of processor time on
 * the main thread until then (which does not depend on what else the machine does), KiB of code over the wire. */
interface Figures {
  seen: number;
  quiet: number;
  main: number;
  shift: number;
  kib: number;
}

/** Before anything of the page runs: sums of layout shifts (CLS), and the end of the last long task. */
async function watch(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.shift = 0;
    window.quiet = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shift += (entry as PerformanceEntry & { hadRecentInput: boolean; value: number }).hadRecentInput ? 0 : (entry as PerformanceEntry & { value: number }).value;
    }).observe({ type: "layout-shift", buffered: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.quiet = entry.startTime + entry.duration;
    }).observe({ type: "longtask", buffered: true });
  });
}

/** Opens a path in a browser that has nothing of the page yet. */
async function measured(browser: Browser, base: string, path: string, seen: string, state: Awaited<ReturnType<ReturnType<Page["context"]>["storageState"]>>): Promise<Figures> {
  const context = await browser.newContext({ baseURL: base, storageState: state });
  const page = await context.newPage();
  await watch(page);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.goto(path, { waitUntil: "commit" });
  const at = await page.waitForFunction((selector) => document.querySelector(selector) && performance.now(), seen, { polling: "raf" });
  const shown = Number(await at.jsonValue());
  await page.waitForLoadState("networkidle");
  const figures = await page.evaluate((shown) => {
    const loaded = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
    const code = loaded.filter((each) => /\.(js|css)$/.test(new URL(each.name).pathname));
    const bytes = code.reduce((sum, each) => sum + each.encodedBodySize, 0);
    return { seen: Math.round(shown), quiet: Math.round(Math.max(shown, window.quiet)), shift: Math.round(window.shift * 1000) / 1000, kib: Math.round(bytes / 1024) };
  }, shown);
  const { metrics } = await devtools.send("Performance.getMetrics");
  await context.close();
  return { ...figures, main: Math.round(1000 * (metrics.find((each) => each.name === "TaskDuration")?.value ?? NaN)) };
}

test("the first page takes under 1.5 s and 300 kB, the editor under 2 s, and nothing jumps", async ({ page, browser, baseURL }, info) => {
  const token = await enter(page);
  const id = await store(page.request, token, many(40, "Opened for its speed"));
  await open(page, id); // a session that a new browser takes over
  const base = baseURL ?? "";
  const nobody = { cookies: [], origins: [] };
  for (const [name, path, seen, bar, most] of [
    ["sign-in", "/", ".gate h1", 1500, 300],
    ["overview", "/", ".figure b", 1500, 300],
    ["workflows", "/workflows", "td.name a", 1500, 300],
    ["editor", `/workflows/${id}`, ".face", 2000, Infinity],
  ] as const) {
    const rounds: Figures[] = [];
    for (let round = 0; round < 3; round++) {
      // a refresh token works once: each browser starts from what the one before has left
      await page.goto("/tags");
      await expect(page.getByRole("heading", { name: "Tags" })).toBeVisible();
      rounds.push(await measured(browser, base, path, seen, name === "sign-in" ? nobody : await page.context().storageState()));
      if (name !== "sign-in") await enter(page);
    }
    const best = (kind: keyof Figures) => Math.min(...rounds.map((each) => each[kind]));
    const text = `${name}: seen ${best("seen")} ms, quiet ${best("quiet")} ms, main thread ${best("main")} ms, CLS ${best("shift")}, code ${best("kib")} KiB; rounds ${rounds.map((each) => each.quiet).join(", ")}`;
    info.annotations.push({ type: "speed", description: text });
    console.log(text);
    expect(best("kib"), name).toBeLessThan((most * 1000) / 1024);
    expect(best("shift"), name).toBeLessThan(0.1);
    expect(best("main"), name).toBeLessThan(bar);
  }
});
