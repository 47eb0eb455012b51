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
    setTimeout: (callback, delay = 0, ...args) => {
      run.timers.push({ id: run.nextTimer, due: Date.now() + Math.max(Number(delay) || 0, 0), callback, args });
      run.nextTimer += 1;
      return run.nextTimer - 1;
    },
    clearTimeout: (id) => { run.timers = run.timers.filter((timer) => timer.id !== id); },
  };
}

const SCRIPT = 'weft-code.js';
const HEADER_LINES = 2;

function lineOf(error) {
  const found = new RegExp(`${SCRIPT}:(\\d+)`).exec(error?.stack ?? '');
  return found ? Number(found[1]) - HEADER_LINES : null;
}

const CODE_NAMES = ['$json', '$binary', '$input', '$', '$node', '$items', '$item', '$itemIndex', '$runIndex',
  '$prevNode', '$parameter', '$execution', '$workflow', '$vars', '$nodeVersion', '$now', '$today', 'DateTime',
  'Duration', 'Interval', '$jmespath', '$if', '$ifEmpty', '$min', '$max', '$getWorkflowStaticData'];

// { source, each, d: data, r: roots }
class Run {
  constructor(request) {
    this.request = request;
    this.logs = [];
    this.timers = [];
    this.nextTimer = 1;
    this.answer = null;
    this.item = null;
    if (libraries.has('luxon')) library('luxon').Settings.defaultZone = request.d.r.$timezone ?? 'UTC';
  }

  start() {
    const { source, each, d: data, r: roots } = this.request;
    const names = CODE_NAMES.filter((name) => roots.includes(name));
    const { setTimeout, clearTimeout } = timersOf(this);
    const own = { $$: SYMBOLS, $$null: orNullish, console: consoleOf(this), setTimeout, clearTimeout };
    const perRun = each ? ['item'] : ['items'];
    const prefix = /\bawait\b/.test(source) ? 'async ' : '';
    const body = `"use strict";return (${prefix}function () {${source}\n}).call(Object.freeze({}))\n//# sourceURL=${SCRIPT}`;
    const script = compile(...Object.keys(own), ...perRun, ...names, body);
    const call = (at) => {
      const view = new View(data, at);
      return script(...Object.values(own), each ? view.item : data.i,
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

  // Results are in lists of one; an empty one stands for undefined.
  eachItem(call) {
    const results = [];
    for (let at = 0; at < this.request.d.i.length; at += 1) {
      this.item = at;
      progress[0] += 1;
      const value = call(at);
      if (typeof value?.then === 'function') return this.eachLater(call, results, value);
      results.push(value === undefined ? [] : [value]);
    }
    return this.settle(results);
  }

  async eachLater(call, results, pending) {
    try {
      let value = await pending;
      for (;;) {
        results.push(value === undefined ? [] : [value]);
        if (results.length === this.request.d.i.length) break;
        this.item = results.length;
        progress[0] += 1;
        value = await call(results.length);
      }
      this.settle(results);
    } catch (error) {
      this.fail(error);
    }
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
    const changed = kept ? `,"static":${json(kept)}` : '';
    this.answer = `{"result":${shown ?? 'null'},"kind":"${value === null ? 'null' : typeof value}","logs":${stringify(this.logs)}${changed}}`;
  }

  fail(error) {
    const [message, description] = describe(error);
    this.answer = stringify({ error: message, description, line: lineOf(error), item: this.item, logs: this.logs });
  }

  // The answer, or how many milliseconds from now the next timer is due; -1 where nothing can happen any more.
  poll() {
    if (this.answer !== null) {
      current = null;
      return this.answer;
    }
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
