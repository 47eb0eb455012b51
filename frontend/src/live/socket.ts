import { renew, token } from "../api/client";
import type { Frame } from "./frames";

const FIRST_DELAY = 250;
const LONGEST_DELAY = 10_000;

export interface Topic {
  execution_id?: string;
  workflow_id?: string;
  project_id?: string;
}

/** Sends a frame of the client; nothing where the connection has dropped. */
export type Say = (frame: Record<string, unknown>) => void;

/**
 * Subscribes to topics over the WebSocket, and again after every drop. Executions are replayed from the last `seq`
 * that was seen; projects and workflows replay nothing, so `onOpen` is called each time the subscription stands, for
 * the page to fetch afresh, or to say more. Returns the function that ends it.
 */
export function listen(topics: Topic[], onFrame: (frame: Frame) => void, onOpen: (say: Say) => void = () => undefined): () => void {
  let socket: WebSocket | null = null;
  let delay = FIRST_DELAY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const seen = new Map<string, number>();

  const receive = (frame: Frame) => {
    const id = frame.data.execution_id;
    if (id && frame.seq !== undefined && topics.some((topic) => topic.execution_id === id)) {
      if (frame.seq <= (seen.get(id) ?? 0)) return; // heard before the connection dropped
      seen.set(id, frame.seq);
    }
    onFrame(frame);
  };

  const connect = () => {
    if (ended) return;
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/ws`);
    socket.onopen = () => {
      socket?.send(JSON.stringify({ type: "auth", token: token() }));
      for (const topic of topics) {
        const from = topic.execution_id ? { from_seq: seen.get(topic.execution_id) ?? 0 } : {};
        socket?.send(JSON.stringify({ type: "subscribe", ...topic, ...from }));
      }
      delay = FIRST_DELAY;
      onOpen((frame) => {
        if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
      });
    };
    socket.onmessage = (event) => receive(JSON.parse(String(event.data)) as Frame);
    socket.onclose = () => {
      if (ended) return;
      timer = setTimeout(() => void renew().then(connect), delay);
      delay = Math.min(delay * 2, LONGEST_DELAY);
    };
  };

  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket?.close();
  };
}
