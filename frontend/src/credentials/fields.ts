import type { Property } from "../forms/definition";
import type { Values } from "../forms/ParameterForm";

/** The values that fields have before anybody sets them. */
export const defaultsOf = (fields: Property[]): Values =>
  Object.fromEntries(fields.filter((field) => field.default !== undefined && field.default !== null).map((field) => [field.name, field.default]));
