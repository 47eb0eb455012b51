import { describe, expect, it } from "vitest";
import { portsOf } from "../graph/ports";
import { effective, emptyOf, shows, visible } from "./conditions";
import type { NodeDefinition, Property } from "./definition";
import { appended, lastName, pathSource, referredNodes, toExpression, toFixed } from "./expression";

const field = (name: string, more: Partial<Property> = {}): Property => ({ name, type: "string", display_name: name, ...more });

describe("rules", () => {
  const scope = (beside: Record<string, unknown>, version = 1) => ({ beside, root: beside, version });

  it.each([
    [{ show: { mode: ["a", "b"] } }, { mode: "b" }, true],
    [{ show: { mode: ["a"] } }, { mode: "c" }, false],
    [{ show: { mode: ["a"] } }, { mode: "={{ $json.mode }}" }, true],
    [{ hide: { mode: ["a"] } }, { mode: "a" }, false],
    [{ show: { id: ["x"] } }, { id: { __rl: true, mode: "id", value: "x" } }, true],
    [{ show: { tags: ["x"] } }, { tags: ["y", "x"] }, true],
    [{ show: { n: [{ _cnd: { gte: 2 } }] } }, { n: 2 }, true],
    [{ show: { n: [{ _cnd: { lt: 2 } }] } }, { n: 2 }, false],
    [{ show: { on: [true] } }, { on: 1 }, false],
    [{ show: { "/mode": ["a"] } }, { mode: "a" }, true],
  ])("%j with %j: %s", (rule, values, expected) => {
    expect(shows(rule, scope(values))).toBe(expected);
  });

  it("look at the node's version", () => {
    const rule = { show: { "@version": [{ _cnd: { gte: 2 } }] } };
    expect([shows(rule, scope({}, 1)), shows(rule, scope({}, 2.1))]).toEqual([false, true]);
  });

  it("let defaults decide about other parameters", () => {
    const properties = [field("c", { show: { b: ["y"] } }), field("b", { default: "y", show: { a: ["x"] } }), field("a", { default: "x" })];
    const values = effective(properties, {}, 1);
    expect(values).toEqual({ a: "x", b: "y", c: "" });
    expect(visible(properties, { beside: values, root: values, version: 1 }).map((each) => each.name)).toEqual(["c", "b", "a"]);
  });

  it("give the empty value of a type where there is no default", () => {
    expect([field("a", { type: "number" }), field("b", { type: "boolean" }), field("c", { type: "collection" })].map(emptyOf)).toEqual([0, false, {}]);
  });
});

describe("ports", () => {
  const definition: NodeDefinition = {
    type: "t",
    aliases: ["t"],
    display_name: "T",
    description: "",
    categories: [],
    default_version: 1,
    versions: [
      {
        versions: [1],
        inputs: [{ number_of: "count", default: 2 }],
        outputs: [{ when: { mode: ["one"] }, labels: ["only"] }, { list_of: "rules.values", label_key: "key", default: 1, extra: [{ when: { "options.rest": [true] }, label: "Rest" }] }],
      },
    ],
  };
  const ports = (parameters: Record<string, unknown>, onError?: "continueErrorOutput") =>
    portsOf({ id: "n", name: "n", type: "t", typeVersion: 1, position: [0, 0], parameters, ...(onError && { onError }) }, definition);

  it("come from the parameters", () => {
    expect(ports({})).toEqual({ inputs: ["Input 1", "Input 2"], outputs: ["0"] });
    expect(ports({ count: 3, mode: "one" })).toEqual({ inputs: ["Input 1", "Input 2", "Input 3"], outputs: ["only"] });
    expect(ports({ rules: { values: [{ key: "big" }, {}] }, options: { rest: true } }).outputs).toEqual(["big", "1", "Rest"]);
  });

  it("have the error output last", () => {
    expect(ports({ mode: "one" }, "continueErrorOutput").outputs).toEqual(["only", "error"]);
  });
});

describe("expressions", () => {
  it("reach a value by its path", () => {
    expect(pathSource("$json", ["a", 0, "odd name", "b"])).toBe(`$json.a[0]["odd name"].b`);
  });

  it.each([[["a", "b"], "b"], [["a", 'odd "name"', 0], 'odd "name"'], [[0], ""]])("drop %j as a field of the name %j", (path, name) => {
    expect(lastName(`{{ ${pathSource("$json", path)} }}`)).toBe(name);
  });

  it("switch between fixed and expression without losing text", () => {
    expect(toExpression("plain")).toBe("=plain");
    expect(toExpression(3)).toBe("={{ 3 }}");
    expect(toFixed("=plain", "")).toBe("plain");
    expect(toFixed("={{ $json.a }}", "default")).toBe("default");
  });

  it("take what is dropped after what is there", () => {
    expect(appended("", "{{ $json.a }}")).toBe("={{ $json.a }}");
    expect(appended("Hello", "{{ $json.a }}")).toBe("=Hello {{ $json.a }}");
    expect(appended("=x ", "{{ $json.a }}")).toBe("=x {{ $json.a }}");
  });

  it("name the nodes that they refer to", () => {
    expect(referredNodes(`={{ $("A b").item.json.x + $node["C"].json + $node.D.json + $('A b').all() }}`)).toEqual(["A b", "C", "D"]);
  });
});
