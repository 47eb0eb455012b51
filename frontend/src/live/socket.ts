import { renew, token } from "../api/client";
import type { Frame } from "./frames";

const FIRST_DELAY = 250;
const LONGEST_DELAY = 10_000;

/**
 * Subscribes to projects over the WebSocket, and again after every drop. A project subscription replays nothing, so
 * `onOpen` is called each time it stands, for the page to fetch afresh. Returns the function that ends it.
 */
export function listen(projects: string[], onFrame: (frame: Frame) => void, onOpen: () => void): () => void {
  let socket: WebSocket | null = null;
  let delay = FIRST_DELAY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;

  const connect = () => {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/ws`);
    socket.onopen = () => {
      socket?.send(JSON.stringify({ type: "auth", token: token() }));
      for (const project of projects) socket?.send(JSON.stringify({ type: "subscribe", project_id: project }));
      delay = FIRST_DELAY;
      onOpen();
    };
    socket.onmessage = (event) => {
      onFrame(JSON.parse(String(event.data)) as Frame);
    };
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
