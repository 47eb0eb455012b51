import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ApiError } from "../api/client";
import { listen } from "./socket";

type Sent = Record<string, unknown>;

/** The server's end of each connection that was opened. */
class Line {
  static readonly OPEN = 1;
  static lines: Line[] = [];
  readyState = Line.OPEN;
  sent: Sent[] = [];
  onopen = () => undefined;
  onclose = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  constructor() {
    Line.lines.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text) as Sent);
  }
  close() {
    this.readyState = 3;
    this.onclose();
  }
  say(type: string, data: unknown) {
    this.onmessage({ data: JSON.stringify({ type, data }) });
  }
  /** Refuses the latest frame. */
  refuse(code: string, message: string) {
    this.say("error", { code, message, frame: this.sent.at(-1) });
  }
  get subscriptions() {
    return this.sent.filter((frame) => frame.type === "subscribe");
  }
}

const line = (): Line => {
  const last = Line.lines.at(-1);
  if (!last) throw new Error("no connection");
  return last;
};

beforeEach(() => {
  vi.useFakeTimers();
  Line.lines = [];
  vi.stubGlobal("WebSocket", Line);
  vi.stubGlobal("fetch", () => Promise.reject(new Error("offline")));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a subscription that is refused", () => {
  it("is sent again at growing intervals while it can't be checked, and the page asks afresh", () => {
    let [opened, refused] = [0, 0];
    const end = listen([{ workflow_id: "w" }], () => undefined, () => { opened += 1; }, () => { refused += 1; });
    line().onopen();
    const gaps: number[] = [];
    for (let time = 0; time < 7; time++) {
      line().refuse("UNAVAILABLE", "The store is not there.");
      const before = line().subscriptions.length;
      let waited = 0;
      for (; line().subscriptions.length === before; waited += 250) vi.advanceTimersByTime(250);
      gaps.push(waited);
    }
    expect(gaps).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000]);
    expect(line().subscriptions.at(-1)).toEqual({ type: "subscribe", workflow_id: "w" });
    expect([opened, refused]).toEqual([8, 0]);
    end();
  });

  it("asks an execution's events from the last one that was seen", () => {
    const end = listen([{ execution_id: "e" }], () => undefined);
    line().onopen();
    line().onmessage({ data: JSON.stringify({ type: "node.started", seq: 4, data: { execution_id: "e" } }) });
    line().refuse("TIMEOUT", "Too slow.");
    vi.advanceTimersByTime(250);
    expect(line().subscriptions.at(-1)).toEqual({ type: "subscribe", execution_id: "e", from_seq: 4 });
    end();
  });

  it("is told for any other reason, once, and to nobody as a frame", () => {
    const [frames, errors]: [unknown[], ApiError[]] = [[], []];
    const end = listen([{ project_id: "p" }], (frame) => frames.push(frame), undefined, (error) => errors.push(error));
    line().onopen();
    for (let time = 0; time < 2; time++) line().refuse("NOT_FOUND", "There is no such project.");
    vi.advanceTimersByTime(60_000);
    expect(errors.map(({ code, message }) => [code, message])).toEqual([["NOT_FOUND", "There is no such project."]]);
    expect(line().subscriptions).toHaveLength(1);
    expect(frames).toEqual([]);
    end();
  });

  it("is not sent again once it has ended", () => {
    const end = listen([{ workflow_id: "w" }], () => undefined);
    line().onopen();
    line().refuse("UNAVAILABLE", "The store is not there.");
    const { sent } = line();
    end();
    vi.advanceTimersByTime(60_000);
    expect(sent.filter((frame) => frame.type === "subscribe")).toHaveLength(1);
    expect(Line.lines).toHaveLength(1);
  });
});

it("connections that end before they were let in come at growing intervals", async () => {
  const end = listen([{ workflow_id: "w" }], () => undefined);
  const opened: number[] = [];
  for (let waited = 0; waited < 4_000; waited += 250) {
    if (line().readyState === Line.OPEN) {
      opened.push(waited);
      line().onopen();
      line().close();
    }
    await vi.advanceTimersByTimeAsync(250);
  }
  expect(opened).toEqual([0, 250, 750, 1750, 3750]);
  end();
});
