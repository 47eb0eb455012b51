import { expect, it } from "vitest";
import { PRESETS, SCOPES, shortened } from "./scopes";

it("says a whole kind in one scope", () => {
  const whole = SCOPES.execution.map((verb) => `execution:${verb}`);
  expect(shortened(new Set([...whole, "workflow:read"]))).toEqual(["workflow:read", "execution:*"]);
  expect(shortened(new Set())).toEqual([]);
});

it("has presets of scopes that there are", () => {
  const all = Object.entries(SCOPES).flatMap(([kind, verbs]) => verbs.map((verb) => `${kind}:${verb}`));
  for (const scope of [...PRESETS.read, ...PRESETS.run]) expect(all).toContain(scope);
});
