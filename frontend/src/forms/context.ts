import { createContext, useContext } from "react";
import type { Evaluation, LookedUpPage } from "../api/types";

/** What fields need of the place they stand in. Without `evaluate` values are always fixed (credentials). */
export interface FormPlace {
  version: number;
  evaluate?: (expression: string, signal?: AbortSignal) => Promise<Evaluation>;
  /** False while there is no data that expressions could see; those without a `$` are previewed all the same. */
  previews?: boolean;
  /** Paths that expressions can complete, such as `$json.name`. */
  completions?: string[];
  /** One page of what a loader gives for the node as it is set now; absent where nothing can be looked up. */
  lookUp?: (loader: string, search: string, cursor: string, signal?: AbortSignal) => Promise<LookedUpPage>;
  /** Names of the fields that the chosen input item has. */
  inputFields?: string[];
  /** Changes when the data that expressions see changes. */
  dataKey?: string;
  readOnly?: boolean;
  /** Secret fields that are stored and not shown; such a field is undefined until it is replaced. */
  kept?: ReadonlySet<string>;
}

export const FormContext = createContext<FormPlace>({ version: 1 });
export const usePlace = (): FormPlace => useContext(FormContext);

/** The drag type of a field of the input; the data is `{{ … }}`. */
export const DRAGGED = "application/x-weft-expression";
