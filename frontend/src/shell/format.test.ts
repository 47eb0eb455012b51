import { expect, it } from "vitest";
import { duration, when } from "./format";

it.each([
  [12, "12 ms"],
  [1500, "1.5 s"],
  [61_000, "1 min 1 s"],
  [3_720_000, "1 h 2 min"],
])("says %d as %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

it("has a dash for a time that has not come", () => {
  expect(when(null)).toBe("–");
});
