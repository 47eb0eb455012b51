// What scripts expect of Node.js beside the language: Buffer, URL, text encoding. As much as scripts of Code nodes use.

function bytesOf(value, encoding = 'utf8') {
  if (typeof value !== 'string') return Uint8Array.from(value);
  switch (String(encoding).toLowerCase()) {
    case 'base64': case 'base64url': return base64Bytes(value);
    case 'hex': return Uint8Array.from(value.match(/[\da-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16));
    case 'latin1': case 'binary': case 'ascii': return Uint8Array.from(value, (char) => char.charCodeAt(0) & 255);
    case 'utf8': case 'utf-8': return utf8(value);
    default: throw new TypeError(`Unknown encoding: ${encoding}`);
  }
}

function latin1(bytes) {
  let out = '';
  for (const byte of bytes) out += String.fromCharCode(byte);
  return out;
}

// Bytes that are no UTF-8 become U+FFFD.
function utf8Text(bytes) {
  let out = '';
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at];
    const more = lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : -1;
    let point = more < 1 ? lead : lead & (0x3f >> more);
    let seen = 1;
    while (seen <= more && (bytes[at + seen] & 0xc0) === 0x80) {
      point = (point << 6) | (bytes[at + seen] & 0x3f);
      seen += 1;
    }
    const valid = more >= 0 && seen === more + 1 && point < 0x110000 && (point < 0xd800 || point > 0xdfff);
    out += valid ? String.fromCodePoint(point) : '\ufffd';
    at += seen;
  }
  return out;
}

class Buffer extends Uint8Array {
  static from(value, encoding) {
    const bytes = bytesOf(value instanceof ArrayBuffer ? new Uint8Array(value) : value?.type === 'Buffer' ? value.data : value, encoding);
    const made = new Buffer(bytes.length);
    made.set(bytes);
    return made;
  }

  static alloc(size, fill = 0) { return new Buffer(size).fill(fill); }

  static isBuffer(value) { return value instanceof Buffer; }

  static byteLength(value, encoding) { return bytesOf(value, encoding).length; }

  static concat(parts) { return Buffer.from(parts.flatMap((part) => [...part])); }

  toString(encoding = 'utf8') {
    switch (String(encoding).toLowerCase()) {
      case 'base64': return base64Of(this);
      case 'base64url': return base64Of(this).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
      case 'hex': return Array.from(this, (byte) => byte.toString(16).padStart(2, '0')).join('');
      case 'latin1': case 'binary': case 'ascii': return latin1(this);
      case 'utf8': case 'utf-8': return utf8Text(this);
      default: throw new TypeError(`Unknown encoding: ${encoding}`);
    }
  }

  equals(other) { return this.length === other.length && this.every((byte, at) => byte === other[at]); }

  toJSON() { return { type: 'Buffer', data: [...this] }; }
}

const plus = (text) => encodeURIComponent(text).replaceAll('%20', '+').replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

function unplus(text) {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

class URLSearchParams {
  #pairs;

  #changed;

  constructor(given = '', changed = () => {}) {
    this.#changed = changed;
    if (typeof given === 'string') {
      this.#pairs = given.replace(/^\?/, '').split('&').filter(Boolean).map((part) => {
        const [name, ...value] = part.split('=');
        return [unplus(name), unplus(value.join('='))];
      });
    } else {
      const entries = typeof given[Symbol.iterator] === 'function' ? [...given] : Object.entries(given);
      this.#pairs = entries.map(([name, value]) => [String(name), String(value)]);
    }
  }

  get(name) { return this.#pairs.find(([key]) => key === name)?.[1] ?? null; }

  getAll(name) { return this.#pairs.filter(([key]) => key === name).map(([, value]) => value); }

  has(name) { return this.#pairs.some(([key]) => key === name); }

  append(name, value) {
    this.#pairs.push([String(name), String(value)]);
    this.#changed(this.toString());
  }

  set(name, value) {
    const at = this.#pairs.findIndex(([key]) => key === name);
    if (at < 0) return this.append(name, value);
    this.#pairs = this.#pairs.filter(([key], place) => key !== name || place === at);
    this.#pairs[this.#pairs.findIndex(([key]) => key === name)][1] = String(value);
    return this.#changed(this.toString());
  }

  delete(name) {
    this.#pairs = this.#pairs.filter(([key]) => key !== name);
    this.#changed(this.toString());
  }

  forEach(call) { for (const [name, value] of this.#pairs) call(value, name, this); }

  keys() { return this.#pairs.map(([name]) => name).values(); }

  values() { return this.#pairs.map(([, value]) => value).values(); }

  entries() { return this.#pairs.map((pair) => [...pair]).values(); }

  [Symbol.iterator]() { return this.entries(); }

  toString() { return this.#pairs.map((pair) => pair.map(plus).join('=')).join('&'); }
}

const PORTS = { 'http:': '80', 'https:': '443', 'ftp:': '21', 'ws:': '80', 'wss:': '443' };
const ABSOLUTE = /^([a-z][a-z\d+.-]*:)(?:\/\/(?:([^/?#@:]*)(?::([^/?#@]*))?@)?(\[[^\]]*\]|[^/?#:]*)(?::(\d*))?)?([^?#]*)(\?[^#]*)?(#.*)?$/i;

function withoutDots(path) {
  const out = [];
  for (const part of path.split('/')) {
    if (part === '..') { if (out.length > 1) out.pop(); } else if (part !== '.') out.push(part);
  }
  return /(?:^|\/)\.{1,2}$/.test(path) ? `${out.join('/')}/` : out.join('/');
}

class URL {
  constructor(given, base) {
    const text = String(given).trim();
    const found = ABSOLUTE.exec(text) ?? (base === undefined ? null : ABSOLUTE.exec(URL.#joined(text, new URL(base))));
    if (!found || (found[1].toLowerCase() in PORTS && !found[4])) throw new TypeError('Invalid URL');
    const [, protocol, username = '', password = '', host = '', port = '', path, search = '', hash = ''] = found;
    this.protocol = protocol.toLowerCase();
    this.username = username;
    this.password = password;
    this.hostname = host.toLowerCase();
    this.port = port === PORTS[this.protocol] ? '' : port;
    this.pathname = encodeURI(withoutDots(path || (host ? '/' : ''))).replaceAll('%25', '%');
    this.search = search === '?' ? '' : encodeURI(search).replaceAll('%25', '%');
    this.hash = hash === '#' ? '' : encodeURI(hash).replaceAll('%25', '%');
    this.searchParams = new URLSearchParams(this.search, (query) => { this.search = query && `?${query}`; });
  }

  static #joined(text, base) {
    if (text.startsWith('//')) return base.protocol + text;
    if (text.startsWith('/')) return base.origin + text;
    if (text.startsWith('?')) return base.origin + base.pathname + text;
    if (text.startsWith('#')) return base.origin + base.pathname + base.search + text;
    return base.origin + base.pathname.replace(/[^/]*$/, '') + text;
  }

  static canParse(given, base) {
    try {
      return Boolean(new URL(given, base));
    } catch {
      return false;
    }
  }

  get host() { return this.hostname + (this.port && `:${this.port}`); }

  get origin() { return this.protocol in PORTS ? `${this.protocol}//${this.host}` : 'null'; }

  get href() {
    const user = this.username && `${this.username}${this.password && `:${this.password}`}@`;
    const authority = this.hostname || this.protocol in PORTS ? `//${user}${this.host}` : '';
    return this.protocol + authority + this.pathname + this.search + this.hash;
  }

  toString() { return this.href; }

  toJSON() { return this.href; }
}

class TextEncoder {
  encode(text = '') { return utf8(String(text)); }
}

class TextDecoder {
  decode(bytes = []) { return utf8Text(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes); }
}

function cloned(value, seen = new Map()) {
  if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError(`A ${typeof value} can't be cloned`);
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  if (value instanceof Date) return new Date(value);
  const made = Array.isArray(value) ? [] : value instanceof Map ? new Map() : value instanceof Set ? new Set() : {};
  seen.set(value, made);
  if (value instanceof Map) value.forEach((part, key) => made.set(cloned(key, seen), cloned(part, seen)));
  else if (value instanceof Set) value.forEach((part) => made.add(cloned(part, seen)));
  else for (const key of Object.keys(value)) made[key] = cloned(value[key], seen);
  return made;
}

const PLATFORM = {
  Buffer,
  URL,
  URLSearchParams,
  TextEncoder,
  TextDecoder,
  btoa: (text) => base64Of(bytesOf(text, 'latin1')),
  atob: (text) => latin1(base64Bytes(text)),
  structuredClone: (value) => cloned(value),
};
