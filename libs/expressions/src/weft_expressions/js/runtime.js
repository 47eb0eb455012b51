// Evaluates expressions over the data of requests. The shapes are those of request.py.

const { parse, stringify } = JSON;
const NODE_CALLS = ['all', 'first', 'last'];

class Failure extends Error {
  constructor(message, description = '') {
    super(message);
    this.description = description;
  }
}

const libraries = new Map();

function install(name, source) {
  if (libraries.has(name)) return;
  const module = { exports: {} };
  const textOf = Object.freeze({ toString: (() => {}).toString });
  const tail = name === 'luxon' || name === 'transliteration' ? `;return ${name}` : ';return module.exports';
  const library = compile('module', 'exports', 'define', 'process', 'Function', `${source}\n${tail}`)(
    module, module.exports, undefined, undefined, textOf);
  freezeAll(library);
  libraries.set(name, library);
}

function library(name) {
  const found = libraries.get(name);
  if (!found) throw new Failure(`The library ${name} is not loaded`);
  return found;
}

// --- data -----------------------------------------------------------------------------------------

function deepFreeze(root) {
  const left = [root];
  while (left.length) {
    const value = left.pop();
    if (value === null || typeof value !== 'object' || Object.isFrozen(value)) continue;
    Object.freeze(value);
    for (const key of Object.keys(value)) left.push(value[key]);
  }
}

// One view of a request's data; `at` is the item that is being evaluated.
class View {
  constructor(data, at = 0, custom = new CustomData(data.r.$execution?.customData)) {
    this.data = data;
    this.at = at;
    this.custom = custom;
    this.nodes = new Map();
  }

  get item() { return this.data.i[this.at] ?? { json: {} }; }

  info(name) {
    const nodes = this.data.n;
    if (Object.hasOwn(nodes, name)) return nodes[name];
    throw new Failure(`Referenced node '${name}' doesn't exist`,
      'Check the name in the expression: a renamed or deleted node keeps its old name there.');
  }

  executed(name) {
    const info = this.info(name);
    if (info.e) throw new Failure(info.e[0], info.e[1]);
    return info;
  }

  // Without an output: that by which the items came here. Run -1 is the last one.
  items(name, output, run) {
    const info = this.executed(name);
    const outputs = info.o[run === -1 ? info.l : run ?? info.l];
    if (outputs === undefined) throw new Failure(`Node '${name}' has no run ${run}`);
    const items = outputs[output ?? info.b];
    if (items === undefined && output) throw new Failure(`Node '${name}' has no output ${output}`);
    return items ?? [];
  }

  paired(name, index) {
    const found = this.executed(name).i?.[index];
    if (found) return found;
    throw new Failure(`Paired item data for item from node '${name}' is unavailable`,
      `There is no path back from item ${index} to '${name}'. A node between them gave items that do not say where ` +
      `they come from: use .first(), .last() or .all() instead.`);
  }

  node(name) {
    const view = this;
    const pick = (short, place) => (...args) => {
      const info = view.executed(name);
      return args.length === 0 && short in info ? info[short] ?? undefined : view.items(name, ...args).at(place);
    };
    return Object.freeze({
      get item() { return view.paired(name, view.at); },
      get isExecuted() { return !view.info(name).e; },
      get params() { return view.info(name).p; },
      get context() { return view.info(name).c; },
      first: pick('f', 0),
      last: pick('t', -1),
      all: (...args) => view.items(name, ...args),
      itemMatching: (index) => view.paired(name, index),
      pairedItem: (index) => view.paired(name, index ?? view.at),
    });
  }

  legacy(name) {
    const view = this;
    const item = () => {
      const items = view.items(name);
      if (view.at < items.length) return items[view.at];
      throw new Failure(`Node '${name}' has no item ${view.at}`, `It gave ${items.length}. Use $('${name}').item ` +
        'for the item that this one comes from, or .first().');
    };
    return Object.freeze({
      get json() { return item().json; },
      get data() { return item().json; },
      get binary() { return item().binary ?? {}; },
      get parameter() { return view.info(name).p; },
      get context() { return view.info(name).c; },
      get runIndex() { return view.info(name).l ?? -1; },
    });
  }

  // The value of a root name. What depends on the item is a getter or a function, so that one value serves all.
  root(name) {
    const view = this;
    const { data } = view;
    switch (name) {
      case '$input':
        return Object.freeze({
          get item() { return view.item; },
          all: () => data.i,
          first: () => data.i[0],
          last: () => data.i.at(-1),
          get params() { return data.r.$inputParams; },
          get context() { return data.r.$inputContext; },
        });
      case '$': return (node) => view.cached(node, 'node');
      case '$node': return new Proxy(Object.freeze({}), {
        get: (_, node) => (typeof node === 'string' ? view.cached(node, 'legacy') : undefined),
      });
      case '$items': return (node, output, run) => (node === undefined ? data.i : view.items(node, output, run));
      case '$item': return (index) => {
        const other = new View(data, index, view.custom);
        return Object.freeze({
          $json: other.item.json, $binary: other.item.binary ?? {}, $node: other.root('$node'), $: other.root('$'),
        });
      };
      case '$now': return this.now();
      case '$today': return this.now().startOf('day');
      case 'DateTime': case 'Duration': case 'Interval': return library('luxon')[name];
      case '$jmespath': case '$jmesPath': return jmespath;
      case '$fromAI': case '$fromAi': case '$fromai': return (...args) => fromAi(data.r.$fromAIArguments ?? {}, ...args);
      case '$execution': return { ...data.r.$execution, customData: view.custom.api };
      case '$env': return data.r.$env ?? DENIED;
      case '$getWorkflowStaticData': return (kind) => data.r.$static[kind];
      default: return Object.hasOwn(GLOBALS, name) ? GLOBALS[name] : data.r[name];
    }
  }

  cached(name, kind) {
    const key = kind + name;
    let found = this.nodes.get(key);
    if (!found) {
      found = this[kind](name);
      this.nodes.set(key, found);
    }
    return found;
  }

  now() {
    const { DateTime } = library('luxon');
    return this.data.r.$now ? DateTime.fromMillis(this.data.r.$now) : DateTime.now();
  }
}

// What differs between the items of one request.
const PER_ITEM = Object.freeze({
  $json: (view) => view.item.json,
  $binary: (view) => view.item.binary ?? {},
  $itemIndex: (view) => view.at,
  $data: (view) => view.item.json,
  $thisItem: (view) => view.item,
  $position: (view) => view.at,
  $thisItemIndex: (view) => view.at,
});

function jmespath(value, query) {
  if (typeof value !== 'object' || typeof query !== 'string') {
    throw new Failure('$jmespath() needs an object and a query', 'For example $jmespath($json, "list[*].name").');
  }
  return library('jmespath').search(value, query);
}

// The environment where it is off: a name that is there, as long as nothing is read from it.
const DENIED = new Proxy(Object.freeze({}), {
  get(target, key) {
    if (typeof key === 'symbol' || key === 'toString') return target[key]; // what text is made by
    throw new Failure('Access to environment variables is denied',
      '$env is off in this installation. Use $vars, or credentials for secrets.');
  },
});

// What an agent gave for the key; outside of one the default.
function fromAi(given, key, description, type, other) {
  if (typeof key !== 'string' || !/^[\w-]{1,64}$/.test(key)) {
    throw new Failure('$fromAI() needs a key', 'Up to 64 letters, digits, _ and -: $fromAI("city", "the city asked for").');
  }
  return Object.hasOwn(given, key) ? given[key] : other;
}

// The rules are those of custom_data.py, which has the last word.
const MOST_KEYS = 10;
const LONGEST_KEY = 50;
const LONGEST_VALUE = 512;

class CustomData {
  constructor(given = {}) {
    this.values = new Map(Object.entries(given));
    this.changed = new Map();
    this.api = Object.freeze({
      get: (key) => this.values.get(key),
      getAll: () => Object.fromEntries(this.values),
      set: (key, value) => this.set(key, value),
      setAll: (all) => { for (const [key, value] of Object.entries(all)) this.set(key, value); },
    });
  }

  set(key, value) {
    if (typeof key !== 'string') throw new Failure(`A key of custom data is a text, and ${show(key)} is none`);
    if (/\W/.test(key)) throw new Failure(`A key of custom data has letters, digits and underscores only: '${key}'`);
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new Failure(`A value of custom data is a text, and that of '${key}' is none`, 'Make it one: JSON.stringify(value).');
    }
    const name = key.slice(0, LONGEST_KEY);
    if (!this.values.has(name) && this.values.size >= MOST_KEYS) return;
    const kept = String(value).slice(0, LONGEST_VALUE);
    this.values.set(name, kept);
    this.changed.set(name, kept);
  }

  // JSON of what was set, the empty text where nothing was.
  get fresh() { return this.changed.size ? json(Object.fromEntries(this.changed)) : ''; }
}

const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Beside the documented ones those that n8n has as well.
const GLOBALS = {
  $if: () => { throw new Failure('$if() needs a condition and a value', 'For example $if($json.age > 17, "yes", "no").'); },
  $ifEmpty: (...args) => {
    if (args.length < 2) throw new Failure('$ifEmpty() needs a value and another for when it is empty');
    return isEmpty(args[0]) ? args[1] : args[0];
  },
  $not: (value) => !value,
  $average: (...values) => average(values),
  not: (value) => !value,
  average: (...values) => average(values),
  min: (...values) => Math.min(...values),
  max: (...values) => Math.max(...values),
  numberList: (from, to) => Array.from({ length: Math.abs(to - from) + 1 }, (_, at) => from + Math.sign(to - from) * at),
  zip: (keys, values) => {
    if (keys.length !== values.length) throw new Failure('zip() needs as many values as keys');
    return Object.fromEntries(keys.map((key, at) => [key, values[at]]));
  },
  $min: (...values) => Math.min(...values.flat()),
  $max: (...values) => Math.max(...values.flat()),
  process: Object.freeze({ env: Object.freeze({}) }),
  ...Object.fromEntries(['$self', '$tool', 'require', 'module', 'document', 'self', 'global', 'Buffer', 'Proxy']
    .map((name) => [name, Object.freeze({})])), // as in n8n, names that are there and empty
};

// --- evaluation -----------------------------------------------------------------------------------

function text(value) {
  return value === null || value === undefined || Number.isNaN(value) ? '' : String(value);
}

// What JavaScript throws is undefined in a quiet run, as in n8n; a Failure stays one.
function quietly(quiet, run, isFinal = () => false) {
  if (!quiet) return run();
  try {
    return run();
  } catch (error) {
    if (error instanceof Failure || isFinal(error)) throw error;
    return undefined;
  }
}

const OWN = ['$$', '$$null', '$$text', '$$html'];
const compiled = new Map();

function compiledScript(script, names) {
  let found = compiled.get(script);
  if (!found) {
    if (compiled.size >= 2000) compiled.clear();
    found = compile(...OWN, ...names, `"use strict";return ${script}`);
    compiled.set(script, found);
  }
  return found;
}

function describe(error) {
  if (error instanceof Failure) return [error.message, error.description];
  if (error instanceof SyntaxError) return [`Syntax error: ${error.message}`, ''];
  if (error instanceof Error) return [error.message.replace(/Symbol\((\w+)\)/g, '$1'), ''];
  return [String(error), ''];
}

function safely(run) {
  try {
    return run();
  } catch (error) {
    try {
      return describe(error);
    } catch {
      return ['The expression threw something that cannot be shown', ''];
    }
  }
}

const REFUSED_CHANGE = /read only|not extensible|Cannot (?:add|delete|assign|redefine|define)/;

function isRefused(error) {
  return error instanceof TypeError && REFUSED_CHANGE.test(error.message);
}

class Evaluation {
  constructor(request) {
    this.request = request;
    this.view = new View(request.d);
    this.own = [SYMBOLS, orNullish, (run) => text(quietly(request.q, run, isRefused)),
      (run) => String(quietly(request.q, run, isRefused))];
    if (libraries.has('luxon')) library('luxon').Settings.defaultZone = request.d.r.$timezone ?? 'UTC';
    if (request.x.some((leaf) => leaf.m)) deepFreeze(request.d);
  }

  leaf({ s: script, r: roots, m: mayChange }) {
    const run = compiledScript(script, roots);
    const { view, own } = this;
    const call = (seen) => run(...own,
      ...roots.map((name) => (Object.hasOwn(PER_ITEM, name) ? PER_ITEM[name](seen) : seen.root(name))));
    if (mayChange) {
      return () => {
        try {
          return call(view);
        } catch (error) {
          if (!isRefused(error)) throw error;
          return call(new View(parse(stringify(this.request.d)), view.at, view.custom));
        }
      };
    }
    const args = [...own, ...roots.map((name) => (Object.hasOwn(PER_ITEM, name) ? null : view.root(name)))];
    const varying = roots.map((name, at) => [at + OWN.length, PER_ITEM[name]]).filter(([, get]) => get);
    return () => {
      for (const [at, get] of varying) args[at] = get(view);
      return run(...args);
    };
  }

  // Answers in order of the units: [values, failures], a failure being [position, message, description], and third
  // the custom data that was set, if any was. Only the
  // positions from `begin` to `end` are evaluated, and of those not the ones that `skipped` has a message for.
  run(begin, end, skipped) {
    const { request } = this;
    const values = [];
    const failures = [];
    for (const [at, ...items] of request.u) {
      let evaluate;
      const broken = safely(() => { evaluate = this.leaf(request.x[at]); });
      for (const item of items) {
        const position = values.length;
        let value;
        if (position >= begin && position < end) {
          this.view.at = item;
          const known = skipped[position];
          const failed = known ? [known, ''] : broken ?? safely(() => { value = json(plain(quietly(request.q, evaluate))); });
          if (failed) failures.push([position, ...failed]);
          if (failed) value = undefined;
        }
        values.push(value ?? 'null');
        progress[0] += 1;
      }
    }
    const { fresh } = this.view.custom;
    return `[[${values.join(',')}],${stringify(failures)}${fresh && `,${fresh}`}]`;
  }
}

// A value that JSON can show.
function plain(value) {
  switch (typeof value) {
    case 'function': case 'symbol':
      throw new Failure(`The expression gives a ${typeof value}, which is no value`, 'Call the function: name().');
    case 'bigint': return String(value);
    default: return value instanceof Promise ? undefined : value;
  }
}

const LONE = /\\\\|\\ud[89ab-f][0-9a-f]{2}/g;

// JSON of a value; lone surrogates, which no UTF-8 has, become U+FFFD.
function json(value) {
  const out = stringify(value);
  return out !== undefined && out.includes('\\ud') ? out.replace(LONE, (found) => (found === '\\\\' ? found : '\ufffd')) : out;
}

const progress = new Int32Array(new SharedArrayBuffer(4));

// Several requests of one project, one answer a line. `progress` counts evaluations: a watcher sees one that hangs.
function evaluateAll(requests) {
  return requests.map(([begin, end, skipped, request]) => new Evaluation(request).run(begin, end, skipped)).join('\n');
}
