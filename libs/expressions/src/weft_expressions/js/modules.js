// Modules of Node.js that an installation may allow to scripts, as much of them as scripts use and a jail can give:
// nothing here reaches files, processes or the network.

const HASHES = {
  sha1: 'SHA-1', sha224: 'SHA-224', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512',
  'sha3-224': 'SHA3-224', 'sha3-256': 'SHA3-256', 'sha3-384': 'SHA3-384', 'sha3-512': 'SHA3-512',
};

// RFC 2104; the library has none.
function md5Hmac(md5, key) {
  const block = new Uint8Array(64);
  block.set(key.length > 64 ? md5.array(key) : key);
  const inner = md5.create().update(block.map((byte) => byte ^ 0x36));
  return {
    update: (bytes) => inner.update(bytes),
    digest: () => md5.create().update(block.map((byte) => byte ^ 0x5c)).update(inner.array()).array(),
  };
}

function digester(algorithm, key) {
  const name = String(algorithm).toLowerCase().replace(/^rsa-|^sha-(?=\d)/, (found) => (found === 'rsa-' ? '' : 'sha'));
  if (name === 'md5') {
    return key === undefined ? library('md5').md5.create() : md5Hmac(library('md5').md5, key);
  }
  if (!Object.hasOwn(HASHES, name)) throw new Failure('Digest method not supported', `Use md5 or one of ${Object.keys(HASHES).join(', ')}.`);
  const sha = library('sha');
  const options = key === undefined ? {} : { hmacKey: { value: key, format: 'UINT8ARRAY' } };
  const made = new (sha.default ?? sha)(HASHES[name], 'UINT8ARRAY', options);
  return { update: (bytes) => made.update(bytes), digest: () => made.getHash('UINT8ARRAY') };
}

function hashOf(algorithm, key) {
  const inner = digester(algorithm, key);
  let done = false;
  return {
    update(data, encoding) {
      if (done) throw new Error('Digest already called');
      inner.update(bytesOf(data, encoding));
      return this;
    },
    digest(encoding) {
      if (done) throw new Error('Digest already called');
      done = true;
      const found = Buffer.from(inner.digest());
      return encoding === undefined || encoding === 'buffer' ? found : found.toString(encoding);
    },
  };
}

// Random bytes grow from a seed that comes with the request, block after block: V8 alone has no source of them.
function randomOf(run) {
  return (size) => {
    if (!Number.isInteger(size) || size < 0 || size > 65536) throw new RangeError('The size of random bytes is from 0 to 65536');
    const made = Buffer.alloc(size);
    for (let at = 0; at < size; at += 64) {
      const block = hashOf('sha512').update(run.request.seed, 'hex').update(`:${run.drawn}`).digest();
      run.drawn += 1;
      made.set(block.subarray(0, Math.min(64, size - at)), at);
    }
    return made;
  };
}

function cryptoOf(run) {
  const randomBytes = randomOf(run);
  const randomInt = (low, high) => {
    const [from, to] = high === undefined ? [0, low] : [low, high];
    const range = to - from;
    if (!(range > 0) || range > 2 ** 48) throw new RangeError('The range of a random integer is from 1 to 2^48');
    const limit = 2 ** 48 - (2 ** 48 % range);
    for (;;) {
      const drawn = randomBytes(6).reduce((sum, byte) => sum * 256 + byte, 0);
      if (drawn < limit) return from + (drawn % range);
    }
  };
  return {
    createHash: (algorithm) => hashOf(algorithm),
    createHmac: (algorithm, key) => hashOf(algorithm, bytesOf(key)),
    hash: (algorithm, data, encoding = 'hex') => hashOf(algorithm).update(data).digest(encoding),
    getHashes: () => ['md5', ...Object.keys(HASHES)],
    randomBytes,
    randomInt,
    randomUUID: () => {
      const bytes = randomBytes(16);
      bytes[6] = (bytes[6] & 15) | 64;
      bytes[8] = (bytes[8] & 63) | 128;
      return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    },
    timingSafeEqual: (a, b) => {
      if (a.length !== b.length) throw new RangeError('Input buffers must have the same byte length');
      let differing = 0;
      for (let at = 0; at < a.length; at += 1) differing |= a[at] ^ b[at];
      return differing === 0;
    },
  };
}

const QUERY = {
  escape: (text) => encodeURIComponent(text),
  unescape: (text) => unplus(String(text).replaceAll('+', '%2B')),
  parse(text, separator = '&', equals = '=') {
    const found = {};
    for (const part of String(text).split(separator).filter(Boolean)) {
      const [name, ...rest] = part.split(equals);
      const [key, value] = [unplus(name), unplus(rest.join(equals))];
      const known = Object.hasOwn(found, key);
      Object.defineProperty(found, key, {
        value: known ? [found[key], value].flat() : value, writable: true, enumerable: true, configurable: true,
      });
    }
    return found;
  },
  stringify(values, separator = '&', equals = '=') {
    const shown = (value) => (['string', 'number', 'boolean', 'bigint'].includes(typeof value) ? encodeURIComponent(value) : '');
    return Object.entries(values ?? {})
      .flatMap(([name, value]) => [value].flat().map((each) => `${encodeURIComponent(name)}${equals}${shown(each)}`)).join(separator);
  },
};

function parsedUrl(text, parseQuery = false) {
  const [, protocol = null, authority, path = '', search = null, hash = null] =
    /^([a-z][a-z\d+.-]*:)?(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/i.exec(String(text).trim());
  const [, auth = null, hostname = null, port = null] = authority === undefined ? [] : /^(?:(.*)@)?(.*?)(?::(\d+))?$/.exec(authority);
  const query = search === null ? null : search.slice(1);
  return {
    protocol: protocol?.toLowerCase() ?? null,
    slashes: authority === undefined ? null : true,
    auth: auth && unplus(auth.replaceAll('+', '%2B')),
    host: hostname === null ? null : hostname.toLowerCase() + (port === null ? '' : `:${port}`),
    port,
    hostname: hostname?.toLowerCase() ?? null,
    hash,
    search,
    query: parseQuery ? QUERY.parse(query ?? '') : query,
    pathname: path || (hostname ? '/' : null),
    path: (path || (hostname ? '/' : '')) + (search ?? '') || null,
    href: String(text).trim(),
  };
}

function shownValue(value, depth, seen) {
  if (typeof value === 'string') return depth === null ? value : `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
  if (typeof value === 'function') return `[Function: ${value.name || '(anonymous)'}]`;
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Error) return value.stack ?? String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (seen.includes(value)) return '[Circular *1]';
  const list = Array.isArray(value);
  const level = depth ?? 2;
  if (level < 0) return list ? '[Array]' : '[Object]';
  const inner = (part) => shownValue(part, level - 1, [...seen, value]);
  const key = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : `'${name}'`);
  const [open, close, parts] = value instanceof Map ? [`Map(${value.size}) {`, '}', [...value].map(([k, v]) => `${inner(k)} => ${inner(v)}`)]
    : value instanceof Set ? [`Set(${value.size}) {`, '}', [...value].map(inner)]
      : list ? ['[', ']', value.slice(0, 100).map(inner)]
        : ['{', '}', Object.entries(value).map(([name, part]) => `${key(name)}: ${inner(part)}`)];
  if (!parts.length) return open + close;
  const line = `${open} ${parts.join(', ')} ${close}`;
  return line.length <= 72 && !line.includes('\n') ? line : `${open}\n  ${parts.join(',\n').replaceAll('\n', '\n  ')}\n${close}`;
}

const inspect = (value, options) => shownValue(value, options?.depth === null ? Infinity : options?.depth ?? 2, []);

function formatted(first, ...rest) {
  const left = [...rest];
  const forms = { s: (v) => shownValue(v, null, []), d: (v) => String(Number(v)), i: (v) => String(Number.parseInt(v, 10)), f: (v) => String(Number.parseFloat(v)), j: stringify, o: inspect, O: inspect };
  const head = typeof first === 'string'
    ? first.replace(/%([sdifjoO%])/g, (found, form) => (form === '%' ? '%' : left.length ? forms[form](left.shift()) : found))
    : inspect(first);
  return [head, ...left.map((each) => (typeof each === 'string' ? each : inspect(each)))].join(' ');
}

function deepEqual(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date) return a.getTime() === b.getTime();
  if (a instanceof Map || a instanceof Set) return deepEqual([...a], [...b]);
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]));
}

const UTIL = {
  inspect,
  format: formatted,
  isDeepStrictEqual: deepEqual,
  promisify: (call) => (...args) => new Promise((resolve, reject) => {
    call(...args, (error, value) => (error ? reject(error) : resolve(value)));
  }),
  callbackify: (call) => (...args) => {
    const done = args.pop();
    call(...args).then((value) => done(null, value), (error) => done(error));
  },
  deprecate: (call) => call,
  isArray: Array.isArray,
  types: {
    isDate: (value) => value instanceof Date,
    isRegExp: (value) => value instanceof RegExp,
    isMap: (value) => value instanceof Map,
    isSet: (value) => value instanceof Set,
    isPromise: (value) => value instanceof Promise,
    isNativeError: (value) => value instanceof Error,
  },
  TextEncoder,
  TextDecoder,
};

const MODULES = {
  buffer: () => ({ Buffer, btoa: PLATFORM.btoa, atob: PLATFORM.atob }),
  crypto: cryptoOf,
  querystring: () => ({ ...QUERY, encode: QUERY.stringify, decode: QUERY.parse }),
  url: () => ({ URL, URLSearchParams, parse: parsedUrl, format: (value) => String(value?.href ?? value), resolve: (from, to) => new URL(to, from).href }),
  util: () => ({ ...UTIL }),
};

// `require` of one run.
function requireOf(run) {
  const allowed = run.request.modules ?? [];
  return Object.freeze((given) => {
    const name = String(given).replace(/^node:/, '');
    if (!Object.hasOwn(MODULES, name)) {
      throw new Failure(`The module '${given}' is not available`, `Code has the language, luxon, $jmespath and this.helpers.httpRequest; an installation may allow ${Object.keys(MODULES).join(', ')}.`);
    }
    if (!allowed.includes(name) && !allowed.includes('*')) {
      throw new Failure(`The module '${given}' is not allowed here`, 'An administrator allows modules to code by WEFT_CODE_MODULES.');
    }
    return MODULES[name](run);
  });
}
