// Scripts of Code nodes. A run starts, may wait for its promises and timers, and is asked for its result.

let current = null;

function show(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return String(value);
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    return stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

const MOST_LINES = 1000;
const LONGEST_LINE = 20000;

function consoleOf(run) {
  const log = (...values) => {
    if (run.logs.length < MOST_LINES) run.logs.push(values.map(show).join(' ').slice(0, LONGEST_LINE));
  };
  return Object.freeze({ log, info: log, warn: log, error: log, debug: log, trace: log, table: log });
}

// Timers run in the worker's time: it is told when the next is due and calls again then.
function timersOf(run) {
  return {
    setTimeout: (callback, delay = 0, ...args) => run.timer(callback, Math.max(Number(delay) || 0, 0), args),
    setImmediate: (callback, ...args) => run.timer(callback, 0, args),
    clearTimeout: (id) => { run.timers = run.timers.filter((timer) => timer.id !== id); },
  };
}

function revived(value) {
  if (value?.type === 'Buffer') return Buffer.from(value);
  return value?.body?.type === 'Buffer' ? { ...value, body: Buffer.from(value.body) } : value;
}

function helpersOf(run) {
  const ask = (kind) => async (options, more) => run.ask(kind, typeof options === 'string' ? { ...more, url: options } : options, revived);
  return Object.freeze({
    httpRequest: ask('httpRequest'),
    request: ask('request'),
    getBinaryDataBuffer: async (item, name) => Buffer.from((await run.ask('getBinaryDataBuffer', { item, name })).data, 'base64'),
    prepareBinaryData: async (data, fileName, mimeType) => run.ask('prepareBinaryData', { data: base64Of(bytesOf(data)), fileName, mimeType }),
  });
}

const SCRIPT = 'weft-code.js';
const HEADER_LINES = 2;

function lineOf(error) {
  const found = new RegExp(`${SCRIPT}:(\\d+)`).exec(error?.stack ?? '');
  return found ? Number(found[1]) - HEADER_LINES : null;
}

const CODE_NAMES = ['$json', '$binary', '$input', '$', '$node', '$items', '$item', '$itemIndex', '$runIndex',
  '$prevNode', '$parameter', '$execution', '$workflow', '$vars', '$nodeVersion', '$nodeId', '$now', '$today', 'DateTime',
  'Duration', 'Interval', '$jmespath', '$if', '$ifEmpty', '$min', '$max', '$getWorkflowStaticData'];

// { source, each, k: failures of items are results, d: data, r: roots }
class Run {
  constructor(request) {
    this.request = request;
    this.logs = [];
    this.timers = [];
    this.nextTimer = 1;
    this.asked = [];
    this.asking = new Map();
    this.nextAsked = 1;
    this.answer = null;
    this.item = null;
    this.drawn = 0; // blocks of random bytes
    this.custom = new CustomData(request.d.r.$execution?.customData);
    if (libraries.has('luxon')) library('luxon').Settings.defaultZone = request.d.r.$timezone ?? 'UTC';
  }

  start() {
    const { source, each, d: data, r: roots, w: written } = this.request;
    const names = CODE_NAMES.filter((name) => roots.includes(name));
    const own = { $$: SYMBOLS, $$null: orNullish, console: consoleOf(this), ...timersOf(this), ...PLATFORM, require: requireOf(this) };
    const helpers = helpersOf(this);
    const perRun = ['$$this', '$helpers', 'helpers', each ? 'item' : 'items'];
    const known = new Set([...Object.keys(own), ...perRun, ...names]);
    const undeclared = written.filter((name) => !known.has(name) && !(name in globalThis));
    const prefix = /\bawait\b/.test(source) ? 'async ' : '';
    const declared = undeclared.length ? `let ${undeclared.join(',')};` : ''; // strict code may not assign to what nobody declared
    const body = `${declared}return (${prefix}function () {${source}\n}).call($$this)\n//# sourceURL=${SCRIPT}`;
    const script = compile(...Object.keys(own), ...perRun, ...names, `"use strict";${body}`);
    const call = (at) => {
      const view = new View(data, at, this.custom);
      const self = Object.freeze({ helpers, getInputData: () => data.i, getWorkflowStaticData: (kind) => data.r.$static?.[kind] });
      return script(...Object.values(own), self, helpers, helpers, each ? view.item : data.i,
        ...names.map((name) => (Object.hasOwn(PER_ITEM, name) ? PER_ITEM[name](view) : view.root(name))));
    };
    if (each) {
      this.eachItem(call);
      return;
    }
    const value = call(0);
    if (typeof value?.then === 'function') this.later(value);
    else this.settle(value);
  }

  // Results are in lists of one; an empty one stands for undefined, { e: [message, description, line] } for the item's
  // own failure where the request says `k`, else that ends the run.
  eachItem(call) {
    const results = [];
    for (let at = 0; at < this.request.d.i.length; at += 1) {
      this.item = at;
      progress[0] += 1;
      try {
        const value = call(at);
        if (typeof value?.then === 'function') return this.eachLater(call, results, value);
        results.push(value === undefined ? [] : [value]);
      } catch (error) {
        results.push(this.kept(error));
      }
    }
    return this.settle(results);
  }

  async eachLater(call, results, pending) {
    try {
      let next = () => pending;
      for (;;) {
        try {
          const value = await next();
          results.push(value === undefined ? [] : [value]);
        } catch (error) {
          results.push(this.kept(error));
        }
        if (results.length === this.request.d.i.length) break;
        this.item = results.length;
        progress[0] += 1;
        next = () => call(this.item);
      }
      this.settle(results);
    } catch (error) {
      this.fail(error);
    }
  }

  kept(error) {
    if (!this.request.k) throw error;
    return { e: [...describe(error), lineOf(error)] };
  }

  async later(pending) {
    try {
      this.settle(await pending);
    } catch (error) {
      this.fail(error);
    }
  }

  settle(value) {
    const shown = json(value);
    const kept = this.request.d.r.$static;
    const changed = (kept ? `,"static":${json(kept)}` : '') + this.noted();
    this.answer = `{"result":${shown ?? 'null'},"kind":"${value === null ? 'null' : typeof value}","logs":${json(this.logs)}${changed}}`;
  }

  fail(error) {
    const [message, description] = describe(error);
    const told = json({ error: message, description, line: lineOf(error), item: this.item, logs: this.logs });
    this.answer = `${told.slice(0, -1)}${this.noted()}}`;
  }

  noted() {
    const { fresh } = this.custom;
    return fresh && `,"custom":${fresh}`;
  }

  timer(callback, delay, args) {
    this.timers.push({ id: this.nextTimer, due: Date.now() + delay, callback, args });
    this.nextTimer += 1;
    return this.nextTimer - 1;
  }

  // Asks for something from outside. A promise.
  ask(kind, value, revive = (found) => found) {
    return new Promise((resolve, reject) => {
      this.asked.push([this.nextAsked, kind, value]);
      this.asking.set(this.nextAsked, { resolve: (found) => resolve(revive(found)), reject });
      this.nextAsked += 1;
    });
  }

  // Answers: [number, value] or [number, null, message, fields of the error].
  given(answers) {
    for (const [number, value, message, fields] of answers) {
      const { resolve, reject } = this.asking.get(number);
      this.asking.delete(number);
      if (message === undefined) resolve(value);
      else reject(Object.assign(new Error(message), fields));
    }
    return '0';
  }

  // The answer; or a list of what is asked for, [number, kind, value] each; or how many milliseconds from now the next
  // timer is due, -1 where nothing can happen any more.
  poll() {
    if (this.answer !== null) {
      current = null;
      return this.answer;
    }
    if (this.asked.length) return json(this.asked.splice(0));
    const now = Date.now();
    const due = this.timers.filter((timer) => timer.due <= now).sort((a, b) => a.due - b.due || a.id - b.id);
    this.timers = this.timers.filter((timer) => timer.due > now);
    for (const timer of due) safely(() => timer.callback(...timer.args));
    if (due.length) return '0';
    return this.timers.length ? String(Math.max(1, Math.min(...this.timers.map((timer) => timer.due)) - now)) : '-1';
  }
}

// The result comes by poll(): promises move on only after this has returned.
function startCode(body) {
  current = new Run(parse(body));
  try {
    current.start();
  } catch (error) {
    current.fail(error);
  }
  return '0';
}
