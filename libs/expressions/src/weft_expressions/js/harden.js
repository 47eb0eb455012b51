// Makes the realm one in which nothing that user code does outlives it: no way to compile text, no shared memory,
// no weak references, every built-in frozen. `compile` is the prelude's own.

const compile = Function;

function blocked() {
  throw new Failure('Code is not made from text here', 'Write the code itself, without Function() or constructor().');
}

function removeEscapes() {
  const kinds = [function () {}, async function () {}, function* () {}, async function* () {}];
  for (const kind of kinds) {
    Object.defineProperty(Object.getPrototypeOf(kind), 'constructor', { value: blocked });
  }
  for (const name of ['eval', 'Function', 'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'WeakRef',
    'FinalizationRegistry', 'console', 'escape', 'unescape']) {
    delete globalThis[name];
  }
  delete Intl.Segmenter; // its iterators hang on no global, and to make one loads megabytes
}

// A frozen data property of a prototype cannot be shadowed by assignment (`error.name = …` throws). As accessors
// they can: the setter defines an own property of the object that is assigned to.
function allowShadowing(prototype) {
  for (const key of Object.getOwnPropertyNames(prototype)) {
    const found = Object.getOwnPropertyDescriptor(prototype, key);
    if (!('value' in found) || !found.configurable) continue;
    const { value, enumerable } = found;
    Object.defineProperty(prototype, key, {
      get() { return value; },
      set(own) {
        if (this === prototype) throw new TypeError(`Cannot assign to read only property '${key}'`);
        Object.defineProperty(this, key, { value: own, writable: true, enumerable: true, configurable: true });
      },
      enumerable,
      configurable: false,
    });
  }
}

function freezeAll(root) {
  const seen = new Set();
  const left = [root];
  while (left.length) {
    const value = left.pop();
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) continue;
    seen.add(value);
    if (value !== globalThis) Object.freeze(value);
    left.push(Object.getPrototypeOf(value));
    for (const found of Object.values(Object.getOwnPropertyDescriptors(value))) {
      left.push(found.value, found.get, found.set);
    }
    for (const key of Object.getOwnPropertySymbols(value)) {
      const found = Object.getOwnPropertyDescriptor(value, key);
      left.push(found.value, found.get, found.set);
    }
  }
}

// Built-ins that no global property reaches.
function hiddenIntrinsics() {
  const iterators = [[][Symbol.iterator](), ''[Symbol.iterator](), new Map().entries(), new Set().values(),
    'a'.matchAll(/a/g), (function* () {})(), (async function* () {})()];
  return [...iterators, function* () {}, async function () {}, async function* () {}, Int8Array].map(Object.getPrototypeOf);
}

function harden() {
  removeEscapes();
  const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError];
  for (const prototype of [Object.prototype, ...errors.map((each) => each.prototype)]) allowShadowing(prototype);
  for (const intrinsic of hiddenIntrinsics()) freezeAll(intrinsic);
  freezeAll(PLATFORM);
  freezeAll(MODULES);
  freezeAll(UTIL);
  freezeAll(QUERY);
  freezeAll(globalThis);
  for (const key of Reflect.ownKeys(globalThis)) {
    const found = Object.getOwnPropertyDescriptor(globalThis, key);
    if (found.configurable) {
      Object.defineProperty(globalThis, key, 'value' in found ? { writable: false, configurable: false } : { configurable: false });
    }
  }
  Object.preventExtensions(globalThis);
}
