import { ApiError, renew, token } from "../api/client";
import { sayError } from "../ui/toast";
import type { Frame } from "./frames";

const FIRST_DELAY = 250;
const LONGEST_DELAY = 10_000;

export interface Topic {
  execution_id?: string;
  workflow_id?: string;
  project_id?: string;
}

/** Refusals that pass by themselves: what a subscription needs to be checked against can't be reached. */
const PASSING: ReadonlySet<string> = new Set(["UNAVAILABLE", "TIMEOUT"]);

/** A frame of the client that was refused, as the server tells it. */
interface Refusal {
  code: string;
  message: string;
  frame: { type?: string } & Topic;
}

const same = (left: Topic, right: Topic): boolean => left.execution_id === right.execution_id && left.workflow_id === right.workflow_id && left.project_id === right.project_id;

/** Sends a frame of the client; nothing where the connection has dropped. */
export type Say = (frame: Record<string, unknown>) => void;

/**
 * Subscribes to topics over the WebSocket, and again after every drop. Executions are replayed from the last `seq`
 * that was seen; projects and workflows replay nothing, so `onOpen` is called each time a subscription is sent, for
 * the page to fetch afresh, or to say more. A subscription that is refused for a while is sent again, at growing
 * intervals; any other refusal is told to `onRefused`, once each. Returns the function that ends it.
 */
export function listen(
  topics: Topic[],
  onFrame: (frame: Frame) => void,
  onOpen: (say: Say) => void = () => undefined,
  onRefused: (error: ApiError) => void = sayError,
): () => void {
  let socket: WebSocket | null = null;
  let delay = FIRST_DELAY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const seen = new Map<string, number>();
  const told = new Set<string>();
  let retries: ReturnType<typeof setTimeout>[] = [];
  const delays = new Map<Topic, number>();

  const say: Say = (frame) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  };
  const subscribe = (topic: Topic) => {
    const from = topic.execution_id ? { from_seq: seen.get(topic.execution_id) ?? 0 } : {};
    say({ type: "subscribe", ...topic, ...from });
  };

  const refused = ({ code, message, frame }: Refusal) => {
    if (!PASSING.has(code)) {
      if (!told.has(message)) onRefused(new ApiError(0, code, message));
      told.add(message);
      return;
    }
    const topic = frame.type === "subscribe" ? topics.find((each) => same(each, frame)) : undefined;
    if (!topic) return; // the page says it again by itself
    const wait = delays.get(topic) ?? FIRST_DELAY;
    delays.set(topic, Math.min(wait * 2, LONGEST_DELAY));
    retries.push(setTimeout(() => {
      subscribe(topic);
      onOpen(say);
    }, wait));
  };

  const receive = (frame: Frame) => {
    if (frame.type === "ready") delay = FIRST_DELAY;
    if (frame.type === "error") {
      refused(frame.data as unknown as Refusal);
      return;
    }
    const id = frame.data.execution_id;
    if (id && frame.seq !== undefined && topics.some((topic) => topic.execution_id === id)) {
      if (frame.seq <= (seen.get(id) ?? 0)) return; // heard before the connection dropped
      seen.set(id, frame.seq);
    }
    onFrame(frame);
  };

  /** Another connection subscribes to everything anyway. */
  const forget = () => {
    for (const each of retries) clearTimeout(each);
    retries = [];
    delays.clear();
  };

  const connect = () => {
    if (ended) return;
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/ws`);
    socket.onopen = () => {
      say({ type: "auth", token: token() });
      for (const topic of topics) subscribe(topic);
      onOpen(say);
    };
    socket.onmessage = (event) => receive(JSON.parse(String(event.data)) as Frame);
    socket.onclose = () => {
      forget();
      if (ended) return;
      timer = setTimeout(() => void renew().then(connect), delay);
      delay = Math.min(delay * 2, LONGEST_DELAY);
    };
  };

  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    forget();
    socket?.close();
  };
}
