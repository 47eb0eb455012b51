// @vitest-environment node
import ts from "typescript";
import { expect, it } from "vitest";
import de from "./de.json";
import en from "./en.json";

const sources = import.meta.glob<string>(["../**/*.{ts,tsx}", "!../**/*.test.*"], { query: "?raw", import: "default", eager: true });
const holes = (text: string): string[] => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? "").sort();

it("has every text in every language, with the same parts to fill in", () => {
  expect(Object.keys(de)).toEqual(Object.keys(en));
  for (const [key, text] of Object.entries(en)) expect(holes(de[key as keyof typeof de]), key).toEqual(holes(text));
});

it("has no text that no source names, whole or by its beginning", () => {
  const named = new Set(Object.values(sources).flatMap((source) => [...source.matchAll(/["`]([\w.-]+)(?:"|`|\$\{)/g)].map((match) => match[1])));
  const parts = (key: string) => [key.replace(/_(zero|one|other)$/, ""), ...[...key.matchAll(/\./g)].map(({ index }) => key.slice(0, index + 1))];
  expect(Object.keys(en).filter((key) => !parts(key).some((part) => named.has(part)))).toEqual([]);
});

it("addresses nobody in German, neither as Sie nor as du, and has one word for one thing", () => {
  const other = /\b(Ihr(e[mnrs]?|er)?|Ihnen|\wen Sie|du|dir|dich|dein(e[mnrs]?)?|Abl(auf|aufs|äufen?)|Nodes?|Items?)\b/;
  expect(Object.entries(de).filter(([, text]) => other.test(text))).toEqual([]);
});

/** Attributes that people read or hear. */
const SAID = new Set(["alt", "aria-description", "aria-label", "aria-roledescription", "label", "placeholder", "text", "title"]);
/** The same in every language. */
const NAMES = new Set(["Weft", "curl https://…"]);

/** Texts that stand in a component instead of in the translations. */
function raw(name: string, source: string): string[] {
  const found: string[] = [];
  const say = (text: string) => {
    if (/\p{L}{2}/u.test(text) && !NAMES.has(text.trim())) found.push(`${name}: ${text.trim()}`);
  };
  const visit = (node: ts.Node) => {
    if (ts.isJsxText(node)) say(node.text);
    if (ts.isJsxAttribute(node) && SAID.has(node.name.getText()) && node.initializer && ts.isStringLiteral(node.initializer)) say(node.initializer.text);
    if (ts.isJsxExpression(node) && node.expression && ts.isStringLiteral(node.expression) && !ts.isJsxAttribute(node.parent)) say(node.expression.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  return found;
}

it("stands in no component itself", () => {
  expect(Object.entries(sources).flatMap(([name, source]) => (name.endsWith(".tsx") ? raw(name, source) : []))).toEqual([]);
}, 60_000);
