import { expect, it } from "vitest";
import de from "./de.json";
import en from "./en.json";

const holes = (text: string): string[] => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? "").sort();

it("has every text in every language, with the same parts to fill in", () => {
  expect(Object.keys(de)).toEqual(Object.keys(en));
  for (const [key, text] of Object.entries(en)) expect(holes(de[key as keyof typeof de]), key).toEqual(holes(text));
});
