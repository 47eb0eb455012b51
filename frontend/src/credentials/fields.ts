import type { Property } from "../forms/definition";
import type { Values } from "../forms/ParameterForm";

/** What changes fields into others, as `PATCH` takes it: null for those that are gone. */
export const changesOf = (before: Values, after: Values): Values =>
  Object.fromEntries(
    [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
      .map((name) => [name, after[name] ?? null]),
  );

/** The values that fields have before anybody sets them. */
export const defaultsOf = (fields: Property[]): Values =>
  Object.fromEntries(fields.filter((field) => field.default !== undefined && field.default !== null).map((field) => [field.name, field.default]));
