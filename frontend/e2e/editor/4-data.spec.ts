import { expect, type Page, test } from "@playwright/test";
import { nothingSerious } from "../session";
import { chain, enter, face, node, open, saved, store, stored } from "./workbench";

const code = (name: string, jsCode: string, x: number) => node(name, "code", [x, 0], { jsCode }, 2);
const output = (page: Page) => page.getByRole("region", { name: "Output", exact: true });

/** Stores a trigger and one Code node behind it, runs it, and opens the Code node. */
async function ran(page: Page, name: string, source: string): Promise<{ token: string; id: string }> {
  const token = await enter(page);
  const nodes = [node("Start", "manualTrigger", [0, 0]), code("Data", source, 220), node("After", "noOp", [440, 0])];
  const id = await store(page.request, token, { name, nodes, connections: chain("Start", "Data", "After") });
  await open(page, id);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator(".run-state").getByText("Succeeded")).toBeVisible();
  await face(page, "Data").dblclick();
  return { token, id };
}

test("ten thousand items are scrolled through and searched, with few elements at any time", async ({ page }) => {
  await ran(page, "Ten thousand", "const row = (n) => ({ n, name: 'item ' + n });\nreturn [...Array(10000).keys()]\n  .map((n) => ({ json: row(n) }));");
  const pane = output(page);
  await expect(pane.getByText("10000 items")).toBeVisible();
  await pane.getByRole("button", { name: "Table" }).click();
  const rows = pane.locator("tbody tr:not(.space)");
  await expect(rows.first()).toContainText("item 0");
  expect(await rows.count()).toBeLessThan(80);
  const body = pane.getByRole("region", { name: "Data: Output" });
  const slowest = await body.evaluate(async (list) => {
    const gaps: number[] = [];
    for (let [step, before] = [0, performance.now()]; step < 60; step++) {
      list.scrollTop += list.scrollHeight / 60;
      const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
      gaps.push(now - before);
      before = now;
    }
    return gaps.sort((left, right) => left - right)[45] ?? 0;
  });
  expect(slowest).toBeLessThan(200);
  await expect(rows.last()).toContainText("item 9999");
  expect(await rows.count()).toBeLessThan(80);

  await pane.getByRole("button", { name: "Search in: Output" }).click();
  await pane.getByRole("searchbox").fill("ITEM 777");
  await expect(pane.getByText("11 of 10000 items")).toBeVisible();
  await expect(rows).toHaveCount(11);
  await pane.getByRole("button", { name: "JSON" }).click();
  await expect(pane.locator("pre").first()).toContainText('"name": "item 777"');
  await pane.getByRole("button", { name: "Schema" }).click();
  await expect(pane.getByText("Item 778 of 10000")).toBeVisible();
  await nothingSerious(page);
  await page.keyboard.press("Escape");
  await expect(pane.getByRole("searchbox")).toHaveCount(0);
});

test("output is edited in place, checked, kept as pinned data, and used by the next run", async ({ page }) => {
  const { token, id } = await ran(page, "Pinned", "return [{ json: { n: 1 } }];");
  const pane = output(page);
  await pane.getByRole("button", { name: "Edit" }).click();
  const editor = pane.getByRole("textbox", { name: "Output as JSON" });
  await expect(editor).toContainText('"n": 1');
  for (const [text, problem] of [["{ \"n\": 2 }", "is a list"], ["[1]", "Entry 0 is no object"], ["[{", ""]] as const) {
    await editor.fill(text);
    await pane.getByRole("button", { name: "Keep as pinned" }).click();
    await expect(pane.getByRole("alert")).toContainText(problem);
  }
  await editor.fill('[{ "n": 41 }, { "n": 42 }]');
  await nothingSerious(page);
  await pane.getByRole("button", { name: "Keep as pinned" }).click();
  await expect(pane.getByText("2 items")).toBeVisible();
  await expect(pane.getByRole("button", { name: "Unpin" })).toBeVisible();
  await page.getByRole("button", { name: "Close" }).click();
  await saved(page);
  expect((await stored(page.request, token, id)).pinData).toEqual({ Data: [{ json: { n: 41 } }, { json: { n: 42 } }] });
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await expect(page.locator(".link-tools .count").last()).toHaveText("2 items");
  await page.keyboard.press("Control+z");
  await saved(page);
  expect((await stored(page.request, token, id)).pinData).toEqual({});
});

test("pages are shown without their scripts, files with what is in them", async ({ page }) => {
  const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const html = '<h1 id="said">Hello</h1><script>document.getElementById("said").textContent = "ran"; parent.document.title = "ran"</script>';
  const text = Buffer.from("one,two\n1,2\n").toString("base64");
  await ran(page, "Files", `return [{ json: { html: ${JSON.stringify(html)} }, binary: { data: { data: "${picture}", mimeType: "image/png", fileName: "dot.png" }, table: { data: "${text}", mimeType: "text/csv", fileName: "list.csv" }, page: { data: "${Buffer.from(html).toString("base64")}", mimeType: "text/html", fileName: "page.html" } } }];`);
  const pane = output(page);
  await pane.getByRole("button", { name: "HTML" }).click();
  const shown = pane.frameLocator("iframe.preview");
  await expect(shown.locator("#said")).toHaveText("Hello");
  await pane.getByRole("button", { name: "Files" }).click();
  await expect(pane.getByRole("img", { name: "dot.png" })).toBeVisible();
  await expect.poll(() => pane.getByRole("img", { name: "dot.png" }).evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1);
  await expect(pane.locator("pre.preview")).toContainText("one,two");
  await expect(pane.frameLocator("iframe.preview").locator("#said")).toHaveText("Hello");
  expect(await page.title()).not.toBe("ran");
  const waiting = page.waitForEvent("download");
  await pane.getByRole("button", { name: "Save" }).nth(1).click();
  expect((await waiting).suggestedFilename()).toBe("list.csv");
});

/** A second of silence, 8 kHz, as a WAV file (RIFF). */
function silence(): string {
  const data = Buffer.alloc(44 + 8000, 128);
  data.write("RIFF", 0);
  data.writeUInt32LE(36 + 8000, 4);
  data.write("WAVEfmt ", 8);
  data.writeUInt32LE(16, 16);
  data.writeUInt16LE(1, 20);
  data.writeUInt16LE(1, 22);
  data.writeUInt32LE(8000, 24);
  data.writeUInt32LE(8000, 28);
  data.writeUInt16LE(1, 32);
  data.writeUInt16LE(8, 34);
  data.write("data", 36);
  data.writeUInt32LE(8000, 40);
  return data.toString("base64");
}

test("sound, drawings, PDF and JSON are shown, and nothing of theirs runs as the page", async ({ page }) => {
  const script = 'parent.document.title = "ran"; top.document.title = "ran"';
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="7" height="5"><script>${script}</script></svg>`;
  const pdf = "%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj trailer<</Root 1 0 R>>";
  const files = {
    sound: { data: silence(), mimeType: "audio/wav", fileName: "silence.wav" },
    drawing: { data: Buffer.from(drawing).toString("base64"), mimeType: "image/svg+xml", fileName: "box.svg" },
    document: { data: Buffer.from(pdf).toString("base64"), mimeType: "application/pdf", fileName: "page.pdf" },
    liar: { data: Buffer.from(`<script>${script}</script>`).toString("base64"), mimeType: "application/pdf", fileName: "liar.pdf" },
    json: { data: Buffer.from('{"a":[1]}').toString("base64"), mimeType: "application/json", fileName: "a.json" },
    unknown: { data: "AAAA", mimeType: "application/x-what", fileName: "what.bin" },
  };
  const refused: string[] = [];
  page.on("console", (message) => message.type() === "error" && refused.push(message.text()));
  await ran(page, "Kinds", `return [{ json: {}, binary: ${JSON.stringify(files)} }];`);
  const pane = output(page);
  await pane.getByRole("button", { name: "Files" }).click();
  await expect.poll(() => pane.getByLabel("silence.wav").evaluate((sound: HTMLAudioElement) => sound.duration)).toBe(1);
  await expect.poll(() => pane.getByRole("img", { name: "box.svg" }).evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(7);
  await expect(pane.getByTitle("page.pdf")).toHaveAttribute("src", /^blob:/);
  await expect(pane.getByRole("region", { name: "a.json" })).toHaveText(/"a": \[\s+1\s+\]/);
  await expect(pane.getByText("There is no preview of this type.")).toHaveCount(1);
  await nothingSerious(page);
  expect(await page.title()).not.toBe("ran");
  expect(refused).toEqual([]);
});
