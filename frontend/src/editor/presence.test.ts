import { describe, expect, it } from "vitest";
import { colourOf, initialsOf, othersOf } from "./presence";

const person = (session: string, user_id: string, node = "") => ({ session, user_id, name: user_id.toUpperCase(), node });

describe("othersOf", () => {
  it("leaves this connection out and joins the tabs of one person", () => {
    const people = [person("1", "bo", "n1"), person("2", "ada"), person("3", "ada", "n2"), person("4", "bo")];
    expect(othersOf(people, "2")).toEqual([
      { user_id: "ada", name: "ADA", nodes: ["n2"], tabs: 1 },
      { user_id: "bo", name: "BO", nodes: ["n1"], tabs: 2 },
    ]);
    expect(othersOf([person("1", "bo")], "1")).toEqual([]);
  });
});

describe("how a person is shown", () => {
  it("is by two letters", () => {
    expect(["Ada Lovelace", "ada@example.org", "Ada", "", "Ada de Lo"].map(initialsOf)).toEqual(["AL", "AE", "A", "?", "AD"]);
  });

  it("is by a colour of its own", () => {
    expect(colourOf("ada")).toBe(colourOf("ada"));
    expect(new Set(Array.from({ length: 60 }, (_, index) => colourOf(`user ${index}`))).size).toBe(6);
  });
});
