import type { EvaluationInput } from "../api/api";
import type { NodeRun, Source } from "../api/types";
import type { Item } from "../graph/document";
import { referredNodes } from "./expression";

/** Where an expression is previewed: its input items, the chosen one, where they came from, what the nodes gave. */
export interface Sight {
  items: Item[];
  chosen: number;
  source: Source | null;
  /** Runs of a node; those of a node that has not run are made of its pinned items. */
  runsOf: (node: string) => Pick<NodeRun, "outputs" | "source">[];
}

type Preview = Pick<EvaluationInput, "items" | "item_index" | "run_data" | "source" | "sources">;

/** Names by which an expression sees more of its input than the chosen item. */
const MORE_INPUT = /\$(?:input|items|itemIndex|position|item\()/;
const SINGLE = /\$\(\s*(["'`])(?:\\.|(?!\1).)*\1\s*\)\s*\.(?:item|isExecuted|params)\b(?!\s*\()/g;

/**
 * What one preview sends: the chosen item, and of other nodes what the expression reaches. A node that is named by
 * `$("X").item` only is sent as the one item that the chosen one came from; the nodes between without their data.
 */
export function previewOf(expression: string, sight: Sight): Preview {
  const { items, chosen, source, runsOf } = sight;
  const named = referredNodes(expression).filter((name) => runsOf(name).length > 0);
  const whole = new Set(referredNodes(expression.replace(SINGLE, "")));
  const way = named.length > 0 ? wayBack(sight) : new Map<string, number[]>();
  const own = renumbered(items[chosen] ?? { json: {} }, source, sight, way, whole);
  const more = MORE_INPUT.test(expression);
  const sent: Preview = { items: more ? items.with(chosen, own) : [own], item_index: more ? chosen : 0, source: [source] };
  const nodes = new Set([...named, ...[...way.keys()].map((key) => nodeOf(key))]);
  if (nodes.size === 0) return sent;
  const run_data: Record<string, Item[][][]> = {};
  const sources: Preview["sources"] = {};
  for (const node of nodes) {
    const runs = runsOf(node);
    sources[node] = runs.map((run) => run.source);
    run_data[node] = runs.map((run, index) => (run.outputs ?? []).map((output, port) => {
      const place: Source = [node, port, index];
      const kept = way.get(keyOf(place)) ?? [];
      const shown = (at: number) => renumbered(output[at] ?? { json: {} }, place, sight, way, whole);
      if (whole.has(node)) return output.map((item, at) => (kept.includes(at) ? shown(at) : item));
      return kept.map((at) => (named.includes(node) ? shown(at) : { json: {}, pairedItem: shown(at).pairedItem }));
    }));
  }
  return { ...sent, run_data, sources };
}

const keyOf = (source: Source): string => JSON.stringify(source);
const nodeOf = (key: string): string => (JSON.parse(key) as Source)[0];

interface Step {
  item: number;
  input: number;
  run?: number;
}

function stepsOf(item: Item | undefined): Step[] {
  const given = item?.pairedItem;
  return (Array.isArray(given) ? given : [given]).flatMap((each: unknown) => {
    if (typeof each === "number") return [{ item: each, input: 0 }];
    return typeof each === "object" && each !== null ? [{ item: 0, input: 0, ...(each as Partial<Step>) }] : [];
  });
}

const inputOf = (step: Step, run: Pick<NodeRun, "source"> | undefined): Source | null => run?.source?.[step.input] ?? null;

/** Every item on the ways back from the chosen one: the output of a run to the places of the items, ascending. */
function wayBack({ source, chosen, items, runsOf }: Sight): Map<string, number[]> {
  const found = new Map<string, number[]>();
  const ends: [Source, number, Item | undefined][] = source ? [[source, chosen, items[chosen]]] : [];
  for (let end = ends.pop(); end; end = ends.pop()) {
    const [place, number, item] = end;
    const seen = found.get(keyOf(place)) ?? [];
    if (seen.includes(number)) continue;
    found.set(keyOf(place), [...seen, number].sort((left, right) => left - right));
    for (const step of stepsOf(item)) {
      const before = inputOf(step, runsOf(place[0])[step.run ?? place[2]]);
      const held = before && runsOf(before[0])[before[2]]?.outputs?.[before[1]]?.[step.item];
      if (before && held) ends.push([before, step.item, held]);
    }
  }
  return found;
}

/** An item that stands at `place`, its lineage as places in what is sent; one that leads nowhere stays out of range. */
function renumbered(item: Item, place: Source | null, { runsOf }: Sight, way: Map<string, number[]>, whole: ReadonlySet<string>): Item {
  if (item.pairedItem === undefined || place === null || way.size === 0) return item;
  const pairedItem = stepsOf(item).map((step) => {
    const before = inputOf(step, runsOf(place[0])[step.run ?? place[2]]);
    if (!before || whole.has(before[0])) return step;
    const kept = way.get(keyOf(before)) ?? [];
    const at = kept.indexOf(step.item);
    return { ...step, item: at < 0 ? kept.length : at };
  });
  return { ...item, pairedItem };
}
