import type { Item } from "../graph/document";

const texts = new WeakMap<Item, string>();

/** An item's JSON in small letters; worked out once. */
function textOf(item: Item): string {
  const known = texts.get(item);
  if (known !== undefined) return known;
  const text = JSON.stringify(item.json).toLowerCase();
  texts.set(item, text);
  return text;
}

/** Indices of the items that hold a text in a key or a value; all where it is empty. */
export function found(items: readonly Item[], search: string): number[] {
  const wanted = JSON.stringify(search.toLowerCase()).slice(1, -1);
  return items.flatMap((item, index) => (wanted === "" || textOf(item).includes(wanted) ? [index] : []));
}

/** Whether a key or anything in a value holds a text. */
export function holds(key: string | number, value: unknown, search: string): boolean {
  if (search === "" || String(key).toLowerCase().includes(search.toLowerCase())) return true;
  return JSON.stringify(value ?? null).toLowerCase().includes(JSON.stringify(search.toLowerCase()).slice(1, -1));
}

const MARKUP = /^\s*(<!doctype html|<html|<body|<(div|p|h[1-6]|table|ul|ol|section|article|main|header|style|head|a|b|span|img)\b[^>]*>)/i;

/** The first text of an item that is a piece of HTML; null where there is none. */
export function htmlOf(item: Item | undefined): string | null {
  const texts = Object.values(item?.json ?? {}).filter((value): value is string => typeof value === "string");
  return texts.find((text) => MARKUP.test(text)) ?? null;
}
