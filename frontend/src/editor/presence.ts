import type { Frame, Person } from "../live/frames";
import type { Say } from "../live/socket";
import type { EditorStore } from "./store";

/** How often this page says that it is still there; the server forgets it after 90 s of silence. */
const BEAT_MS = 20_000;
/** A choice of nodes is told when it has stood for this long. */
const SETTLED_MS = 250;

/** One person of the others, however many tabs they have. */
export interface Other {
  user_id: string;
  name: string;
  /** Ids of the nodes that they have chosen. */
  nodes: string[];
  tabs: number;
}

export function othersOf(people: readonly Person[], session: string): Other[] {
  const found = new Map<string, Other>();
  for (const person of people) {
    if (person.session === session) continue;
    const other = found.get(person.user_id) ?? { user_id: person.user_id, name: person.name, nodes: [], tabs: 0 };
    if (person.node) other.nodes.push(person.node);
    other.tabs += 1;
    found.set(person.user_id, other);
  }
  return [...found.values()].sort((left, right) => left.name.localeCompare(right.name));
}

const COLOURS = 6;

/** The class of a person's colour: the same one in every browser. */
export function colourOf(user: string): string {
  let sum = 0;
  for (const letter of user) sum = (sum * 31 + letter.charCodeAt(0)) % 9973;
  return `person-${(sum % COLOURS) + 1}`;
}

export function initialsOf(name: string): string {
  const parts = name.split(/[\s@.]+/).filter(Boolean);
  return `${parts[0]?.[0] ?? "?"}${parts[1]?.[0] ?? ""}`.toUpperCase();
}

/** Tells the others what is chosen here, and the store who they are. `open` and `hear` belong to a connection that has
 * subscribed to the workflow. */
export function bePresent(store: EditorStore, workflow: string): { open: (say: Say) => void; hear: (frame: Frame) => void; end: () => void } {
  let say: Say = () => undefined;
  let session = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = () => say({ type: "presence", workflow_id: workflow, node: store.getState().selection[0] ?? "" });
  const beat = setInterval(tell, BEAT_MS);
  const unsubscribe = store.subscribe((state, before) => {
    if (state.selection[0] === before.selection[0]) return;
    clearTimeout(timer);
    timer = setTimeout(tell, SETTLED_MS);
  });
  return {
    open: (through) => {
      say = through;
      tell();
    },
    hear: ({ type, data }) => {
      if (type === "ready") session = data.session ?? "";
      if (type === "presence.changed" && data.workflow_id === workflow) store.setState({ others: othersOf(data.people ?? [], session) });
    },
    end: () => {
      clearInterval(beat);
      clearTimeout(timer);
      unsubscribe();
      store.setState({ others: [] });
    },
  };
}
