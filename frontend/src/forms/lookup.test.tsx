import "@testing-library/jest-dom/vitest";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, configure, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { useState } from "react";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { LookedUp, LookedUpPage } from "../api/types";
import english from "../i18n/en.json";
import { FormContext, type FormPlace } from "./context";
import type { Property } from "./definition";
import { ParameterForm, type Values } from "./ParameterForm";

configure({ asyncUtilTimeout: 4000 }); // a busy machine draws late

beforeAll(() => i18next.init({ lng: "en", resources: { en: { translation: english } }, keySeparator: false, nsSeparator: false, interpolation: { escapeValue: false } }));
beforeAll(() => {
  Element.prototype.scrollIntoView = () => undefined;
});
afterEach(cleanup);

const ALL = Array.from({ length: 130 }, (_, n) => ({ name: `table ${n}`, value: `t${n}` }));

/** A source that searches and gives pages of 100. */
const tables = vi.fn((_loader: string, search: string, cursor: string): Promise<LookedUpPage> => {
  const fitting = ALL.filter((each) => each.name.includes(search));
  const start = Number(cursor || 0);
  return Promise.resolve({ options: fitting.slice(start, start + 100), next_cursor: fitting.length > start + 100 ? String(start + 100) : null });
});

const field = (name: string, type: Property["type"], more: Partial<Property> = {}): Property => ({ name, type, display_name: name, ...more });

function Form({ properties, place, given = {}, told }: { properties: Property[]; place: Partial<FormPlace>; given?: Values; told: (values: Values) => void }) {
  const [values, setValues] = useState(given);
  const evaluate = () => Promise.resolve({ value: "", type: "string" });
  return (
    <QueryClientProvider client={new QueryClient()}>
      <FormContext value={{ version: 1, evaluate, previews: false, lookUp: tables, ...place }}>
        <ParameterForm properties={properties} values={values} onChange={(next) => { setValues(next); told(next); }} />
      </FormContext>
    </QueryClientProvider>
  );
}

function show(properties: Property[], place: Partial<FormPlace> = {}, given: Values = {}) {
  const told = vi.fn<(values: Values) => void>();
  render(<Form properties={properties} place={place} given={given} told={told} />);
  return { user: userEvent.setup(), last: () => told.mock.lastCall?.[0] };
}

describe("choices that are looked up", () => {
  it("are searched at their source and chosen by keyboard", async () => {
    const { user, last } = show([field("column", "options", { loader: "column" })]);
    await user.click(screen.getByRole("combobox", { name: "column" }));
    expect(await screen.findAllByRole("option")).toHaveLength(100);
    await user.keyboard("12");
    await waitFor(() => expect(screen.getAllByRole("option")[0]).toHaveTextContent("table 12"));
    await user.keyboard("{ArrowDown}{Enter}");
    expect(tables).toHaveBeenLastCalledWith("column", "12", "", expect.anything());
    expect(last()).toEqual({ column: "t112" });
    expect(screen.queryByRole("listbox")).toBeNull();
  });

  it("go on at the next page", async () => {
    const { user } = show([field("column", "options")]);
    await user.click(screen.getByRole("combobox", { name: "column" }));
    await screen.findAllByRole("option");
    await user.keyboard("{ArrowDown>97/}");
    await waitFor(() => expect(screen.getAllByRole("option")).toHaveLength(130));
  });

  it("say why there are none, and take a name all the same", async () => {
    const { user, last } = show([field("column", "options")], { lookUp: () => Promise.reject(new Error("Choose a credential first.")) });
    await user.click(screen.getByRole("combobox", { name: "column" }));
    expect(await screen.findByText("Choose a credential first.")).toBeVisible();
    await user.keyboard("own{Enter}");
    expect(last()).toEqual({ column: "own" });
  });

  it("are added to a list and taken away", async () => {
    const { user, last } = show([field("shown", "multiOptions")], {}, { shown: ["a"] });
    await user.click(screen.getByRole("combobox", { name: "shown" }));
    await user.keyboard("table 7");
    await user.click(await screen.findByRole("option", { name: "table 7" }));
    expect(last()).toEqual({ shown: ["a", "t7"] });
    await user.click(screen.getByRole("button", { name: "Remove a" }));
    expect(last()).toEqual({ shown: ["t7"] });
  });
});

describe("a resource locator", () => {
  const table = field("table", "resourceLocator", { default: { mode: "list", value: "" } });

  it("is chosen from the list, and keeps the name that was shown", async () => {
    const { user, last } = show([table]);
    await user.click(screen.getByRole("combobox", { name: "table" }));
    await user.click(await screen.findByRole("option", { name: "table 3" }));
    expect(last()).toEqual({ table: { __rl: true, mode: "list", value: "t3", cachedResultName: "table 3" } });
    expect(screen.getByRole("combobox", { name: "table" })).toHaveValue("table 3");
  });

  it("is named by its id or its address", async () => {
    const { user, last } = show([table]);
    const kind = screen.getByRole("combobox", { name: "Kind of reference: table" });
    await user.selectOptions(kind, "url");
    await user.type(screen.getByRole("textbox", { name: "table" }), "https://x.test/1");
    expect(last()).toEqual({ table: { __rl: true, mode: "url", value: "https://x.test/1" } });
    await user.selectOptions(kind, "id");
    expect(last()).toEqual({ table: { __rl: true, mode: "id", value: "https://x.test/1" } });
  });
});

describe("a resource mapper", () => {
  const columns: LookedUp[] = [
    { name: "id", value: "id", type: "number", match: true },
    { name: "number", value: "number", type: "string", required: true },
    { name: "paid", value: "paid", type: "boolean" },
  ];
  const place: Partial<FormPlace> = { lookUp: () => Promise.resolve({ options: columns, next_cursor: null }), inputFields: ["number", "other"] };
  const properties = [field("operation", "options", { options: [{ name: "Insert", value: "insert" }, { name: "Update", value: "update" }], default: "insert" }), field("columns", "resourceMapper")];

  it("shows the columns, writes values as their types, and leaves out what is empty", async () => {
    const { user, last } = show(properties, place);
    await user.type(await screen.findByRole("textbox", { name: "id" }), "7");
    await user.type(screen.getByRole("textbox", { name: "paid" }), "true");
    await user.type(screen.getByRole("textbox", { name: "number" }), "x{Backspace}");
    expect(last()?.columns).toMatchObject({ mappingMode: "defineBelow", value: { id: 7, paid: true, number: null }, matchingColumns: [] });
    expect((last()?.columns as { schema: unknown[] }).schema[1]).toEqual({ id: "number", displayName: "number", required: true, defaultMatch: false, display: true, type: "string", canBeUsedToMatch: true });
    expect(screen.queryByRole("group", { name: "Columns to match on" })).toBeNull();
  });

  it("maps fields of the same name", async () => {
    const { user, last } = show(properties, place);
    await user.click(await screen.findByRole("button", { name: "Map fields of the same name" }));
    expect(last()?.columns).toMatchObject({ value: { number: "={{ $json.number }}" } });
    await user.selectOptions(screen.getByRole("combobox", { name: "How columns are filled" }), "autoMapInputData");
    expect(last()?.columns).toMatchObject({ mappingMode: "autoMapInputData" });
    expect(screen.queryByRole("group", { name: "number" })).toBeNull();
  });

  it("asks for the columns to match on where rows are looked for", async () => {
    const { user, last } = show(properties, place, { operation: "update" });
    const group = await screen.findByRole("group", { name: "Columns to match on" });
    await user.click(within(group).getByRole("button", { name: "id" }));
    expect(last()?.columns).toMatchObject({ matchingColumns: ["id"] });
    expect(within(group).getByRole("button", { name: "id" })).toHaveAttribute("aria-pressed", "true");
  });

  it("shows the columns that were read before where they can't be read now", async () => {
    const schema = [{ id: "old", displayName: "old", required: false, defaultMatch: false, display: true, canBeUsedToMatch: true }];
    show(properties, { lookUp: () => Promise.reject(new Error("The database can't be used.")) }, { columns: { mappingMode: "defineBelow", value: { old: "1" }, schema } });
    expect(await screen.findByRole("alert")).toHaveTextContent("The database can't be used.");
    expect(screen.getByRole("textbox", { name: "old" })).toHaveValue("1");
  });
});
