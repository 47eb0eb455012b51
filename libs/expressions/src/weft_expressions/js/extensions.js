// n8n's methods on values, by its public documentation. A call `x.name(…)` arrives as `x[$$.name](…)`: a symbol, so
// that no field of an object is hidden. A method that the value itself has comes first, except on dates.

function kindOf(value) {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date || isDateTime(value)) return 'date';
  return typeof value;
}

function isDateTime(value) {
  return libraries.has('luxon') && library('luxon').DateTime.isDateTime(value);
}

function isEmpty(value) {
  if (value === null || value === undefined) return true;
  if (typeof value === 'string' || Array.isArray(value)) return value.length === 0;
  if (kindOf(value) === 'object') return Object.keys(value).length === 0;
  return false;
}

// A number or boolean calls itself empty where it is falsy; $ifEmpty() keeps it.
const isFalsy = (value) => !value;

// --- conversions ----------------------------------------------------------------------------------

const NEEDS_DATE = 'A date was expected';

function toDateTime(value, format, options = {}) {
  const { DateTime } = library('luxon');
  if (isDateTime(value)) return value;
  if (value instanceof Date) return DateTime.fromJSDate(value);
  if (typeof value === 'number' || (typeof value === 'string' && format in NUMERIC_FORMATS)) {
    const scale = NUMERIC_FORMATS[format ?? 'ms'];
    if (!scale) throw new Failure(`Unsupported format '${format}'`, `Use one of ${Object.keys(NUMERIC_FORMATS).join(', ')}.`);
    return DateTime.fromMillis(scale(Number(value)));
  }
  const found = typeof value === 'string' ? parseDateTime(value.trim(), format, options) : undefined;
  if (found && format !== undefined) return found; // as in n8n: what does not fit its format is an invalid date, no error
  if (!found?.isValid) throw new Failure(`'${text(value)}' is no date`, 'Give its format: .toDateTime("dd/MM/yyyy").');
  return found;
}

const NUMERIC_FORMATS = {
  ms: (n) => n,
  s: (n) => n * 1000,
  us: (n) => n / 1000,
  excel: (n) => (n - 25569) * 86400000,
};

const INSTANT = /^\d{4}-(?:0[1-9]|1[0-2])-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3})?)?(?:Z|([+-])(0\d|1[0-4]):([0-5]\d))$/;

// What fromISO() makes of the commonest form, with the engine's own parser: a fifth of the time.
function instant(value) {
  const found = INSTANT.exec(value);
  if (!found) return undefined;
  const [, day, sign, hours, minutes] = found;
  const { DateTime, FixedOffsetZone } = library('luxon');
  const offset = sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) : 0;
  const made = DateTime.fromMillis(Date.parse(value), { zone: FixedOffsetZone.instance(offset) });
  return made.day === Number(day) ? made : undefined; // 30 February is none
}

function parseDateTime(value, format, options) {
  const { DateTime } = library('luxon');
  if (format !== undefined) return DateTime.fromFormat(value, format, options);
  const quick = instant(value);
  if (quick) return quick;
  for (const from of ['fromISO', 'fromRFC2822', 'fromHTTP', 'fromSQL']) {
    const found = DateTime[from](value, { setZone: true });
    if (found.isValid) return found;
  }
  const native = new Date(value);
  return Number.isNaN(native.getTime()) ? undefined : DateTime.fromJSDate(native);
}

function withoutCurrency(value) {
  return typeof value === 'string' ? value.replace(/\p{Sc}/gu, '') : value;
}

function toNumber(value) {
  const found = Number(withoutCurrency(value));
  if (Number.isNaN(found)) throw new Failure(`'${text(value)}' is no number`);
  return found;
}

function toInt(value, radix) {
  const found = typeof value === 'string' ? Number.parseInt(withoutCurrency(value), radix) : round(Number(value));
  if (Number.isNaN(found)) throw new Failure(`'${text(value)}' is no number`);
  return found;
}

// Anything behind the number is passed over, but a comma may mean thousands or decimals.
function toFloat(value) {
  const found = text(value).includes(',') ? NaN : Number.parseFloat(withoutCurrency(value));
  if (Number.isNaN(found)) throw new Failure(`'${text(value)}' is no number`);
  return found;
}

function toDate(value) {
  const found = new Date(value);
  if (Number.isNaN(found.getTime())) throw new Failure(`'${text(value)}' is no date`, 'Give its format: .toDateTime("dd/MM/yyyy").');
  return found;
}

function toBoolean(value) {
  return typeof value === 'string' ? !['', '0', 'false', 'no'].includes(value.trim().toLowerCase()) : Boolean(value);
}

// --- text as bytes --------------------------------------------------------------------------------

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function utf8(value) {
  return Uint8Array.from(unescapePercent(encodeURIComponent(value.toWellFormed())));
}

function unescapePercent(encoded) {
  const bytes = [];
  for (let at = 0; at < encoded.length; at += 1) {
    if (encoded[at] === '%') {
      bytes.push(Number.parseInt(encoded.slice(at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(encoded.charCodeAt(at));
    }
  }
  return bytes;
}

function base64Of(bytes) {
  let out = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const word = (bytes[at] << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const left = bytes.length - at;
    out += BASE64[word >> 18] + BASE64[(word >> 12) & 63] + (left > 1 ? BASE64[(word >> 6) & 63] : '=') + (left > 2 ? BASE64[word & 63] : '=');
  }
  return out;
}

function base64Bytes(value) {
  const digits = value.replaceAll('-', '+').replaceAll('_', '/').replace(/[^A-Za-z0-9+/]/g, '');
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const digit of digits) {
    held = ((held << 6) | BASE64.indexOf(digit)) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = (held >> bits) & 255;
      at += 1;
    }
  }
  return bytes;
}

const base64Encode = (value) => base64Of(utf8(value));

function base64Decode(value) {
  const bytes = base64Bytes(value);
  const decoded = utf8Text(bytes);
  return decoded.includes('\ufffd') ? latin1(bytes) : decoded; // bytes that are no text in UTF-8
}

const SHA = {
  sha1: 'SHA-1', sha224: 'SHA-224', sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512', sha3: 'SHA3-512',
};

function hash(value, algorithm = 'md5') {
  const name = String(algorithm).toLowerCase();
  if (name === 'md5') return library('md5').md5(value);
  if (name === 'base64') return base64Encode(value);
  if (!Object.hasOwn(SHA, name)) {
    throw new Failure(`Unknown hash algorithm '${algorithm}'`, `Use md5, base64 or one of ${Object.keys(SHA).join(', ')}.`);
  }
  const sha = library('sha');
  return new (sha.default ?? sha)(SHA[name], 'TEXT', { encoding: 'UTF8' }).update(value).getHash('HEX');
}

// --- strings --------------------------------------------------------------------------------------

const EMAIL = /[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z\d](?:[A-Za-z\d-]*[A-Za-z\d])?(?:\.[A-Za-z\d](?:[A-Za-z\d-]*[A-Za-z\d])?)+/;
const URL_TEXT = /(?:https?|ftp|file):\/\/[^\s"'<>]+/i;
const DOMAIN = /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|(?:[\p{L}\d_](?:[\p{L}\d_-]{0,61}[\p{L}\d_])?\.)+(?:[\p{L}]{2,63}|xn--[\w-]+))$/u;

function hostOf(value) {
  const host = /^(?:[a-z][a-z\d+.-]*:)?(?:\/\/)?(?:[^/?#@\s]*@)?(\[[^\]]+\]|[^/?#:\s]+)/i.exec(value.trim())?.[1];
  return host && DOMAIN.test(host) ? host : undefined;
}

const SMALL_WORDS = new Set(('a an and as at because but by en for if in neither nor of on only or over per so some than ' +
  'that the to up upon v via vs when with without yet').split(' '));

// Small words stay small but at the ends; words with capitals or dots of their own stay as they are.
function toTitleCase(value) {
  const last = value.trimEnd().length;
  return value.replace(/[^\s:–—-]+/g, (word, at) => {
    const end = at + word.length;
    const scheme = value[end] === ':' && /\S/.test(value[end + 1] ?? ' ');
    const small = at > 0 && end < last && SMALL_WORDS.has(word);
    if (small || scheme) return word;
    if (/^[a-z][a-z\d']*$/.test(word)) return word[0].toUpperCase() + word.slice(1); // the commonest, quickly
    return /.(?:\p{Lu}|\..)/u.test(word) ? word : word.replace(/[\p{L}\d]/u, (char) => char.toUpperCase());
  });
}

const MARKDOWN = [
  [/^\s*```[^\n]*\n?/gm, ''], [/^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*$/gm, '$1'], [/^\s*>\s?/gm, ''], [/^\s*(?:[-*_]\s*){3,}$/gm, ''],
  [/^(\s*)(?:[-*+]|\d+\.)\s+/gm, '$1'], [/!\[([^\]]*)\]\([^)]*\)/g, ''], [/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1'],
  [/(\*\*\*|\*\*|\*|___|__|~~)(?=\S)([^\n]*?\S)\1/g, '$2'], [/(^|\W)_(?=\S)([^_\n]*\S)_(?=\W|$)/g, '$1$2'], [/`([^`]*)`/g, '$1'],
];

const STRING_METHODS = {
  isEmpty,
  isNotEmpty: (s) => !isEmpty(s),
  length: (s) => s.length,
  toInt,
  toWholeNumber: toInt,
  toFloat,
  toDecimalNumber: toFloat,
  toNumber,
  toBoolean,
  toDateTime,
  toDate,
  toJsonString: (s) => stringify(s),
  parseJson: (s) => {
    try {
      return parse(s);
    } catch (error) {
      throw new Failure(`The text is no JSON: ${error.message}`, 'Keys and texts of JSON stand in double quotes.');
    }
  },
  extractEmail: (s) => EMAIL.exec(s)?.[0],
  extractUrl: (s) => URL_TEXT.exec(s)?.[0],
  extractUrlPath: (s) => /^[a-z][a-z\d+.-]*:\/\/[^/?#]*([^?#]*)/i.exec(s)?.[1] || (/^\w+:/.test(s) && URL_TEXT.test(s) ? '/' : undefined),
  extractDomain: (s) => hostOf(EMAIL.test(s) && !/[\s<>/]/.test(s) ? s.slice(s.lastIndexOf('@') + 1) : s),
  isEmail: (s) => EMAIL.exec(s)?.[0] === s,
  isUrl: (s) => /^(?:https?|ftp|file):\/\/[^\s"'<>]+$/i.test(s) && hostOf(s) !== undefined,
  isDomain: (s) => DOMAIN.test(s),
  isNumeric: (s) => s.trim() !== '' && !Number.isNaN(Number(s)),
  toTitleCase,
  toSentenceCase: (s) => s.toLowerCase().replace(/(^\s*\p{L}|[.!?]\s+\p{L})/gu, (found) => found.toUpperCase()),
  toSnakeCase: (s) => s.toLowerCase().replace(/[ -]/g, '_').replace(/[!-/:-@[-^`{-~]/g, ''),
  removeTags: (s) => s.replace(/<[^>]*>/g, ''),
  removeMarkdown: (s) => MARKDOWN.reduce((left, [pattern, kept]) => left.replace(pattern, kept), s),
  replaceSpecialChars: (s) => library('transliteration').transliterate(s, { unknown: '?' }),
  urlEncode: (s, all = false) => (all ? encodeURI(s) : encodeURIComponent(s)),
  urlDecode: (s, all = false) => (all ? decodeURI(s) : decodeURIComponent(s)),
  base64Encode,
  base64Decode,
  hash,
  quote: (s, mark = '"') => mark + s.replaceAll('\\', '\\\\').replaceAll(mark, `\\${mark}`) + mark,
};

// --- arrays ---------------------------------------------------------------------------------------

function same(a, b) {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

function has(values, wanted) {
  return values.some((value) => same(value, wanted));
}

function unique(values, keys) {
  const fields = keys === undefined ? [] : [keys].flat();
  const view = (value) => (fields.length && kindOf(value) === 'object' ? fields.map((key) => value[key]) : value);
  const primitives = new Set();
  const others = [];
  return values.filter((value) => {
    const shown = view(value);
    if (typeof shown !== 'object' || shown === null) {
      if (primitives.has(shown)) return false;
      primitives.add(shown);
      return true;
    }
    if (has(others, shown)) return false;
    others.push(shown);
    return true;
  });
}

function numbers(values) {
  return values.flat(Infinity).map((value) => {
    const found = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof found !== 'number' || Number.isNaN(found)) throw new Failure(`'${text(value)}' is no number`);
    return found;
  });
}

function sum(values) {
  return numbers(values).reduce((total, value) => total + value, 0);
}

function list(value) {
  if (!Array.isArray(value)) throw new Failure('A list was expected to compare with');
  return value;
}

function fields(...names) {
  if (names.length === 0 || names.some((name) => typeof name !== 'string')) throw new Failure('Names of fields were expected');
  return names;
}

const objectOf = (value) => (kindOf(value) === 'object' ? value : {});

// Pair by pair as far as both lists go, the first list's fields kept; of one list all its objects.
function mergeAll(values, other) {
  if (other === undefined) return Object.assign({}, ...values.map(objectOf));
  const pairs = list(other).slice(0, values.length).map((second, at) => ({ ...objectOf(second), ...objectOf(values[at]) }));
  return Object.assign({}, ...pairs);
}

function chunk(values, size) {
  if (!Number.isInteger(size) || size < 1) throw new Failure('chunk() needs a size of 1 or more');
  return Array.from({ length: Math.ceil(values.length / size) }, (_, at) => values.slice(at * size, (at + 1) * size));
}

const isBlank = (value) => isEmpty(value) || value === 'nil';

function compacted(value) {
  if (kindOf(value) === 'object') return compactObject(value);
  return Array.isArray(value) ? compactList(value) : value;
}

function compactList(values) {
  return values.filter((value) => !isBlank(value)).map(compacted);
}

function compactObject(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !isBlank(value))
    .map(([key, value]) => [key, compacted(value)]));
}

// Names that n8n knows for lists and objects and has no value for.
const NO_VALUE = { toInt: () => undefined, toBoolean: () => undefined };

const ARRAY_METHODS = {
  isEmpty,
  isNotEmpty: (a) => !isEmpty(a),
  length: (a) => a.length,
  first: (a) => a[0],
  last: (a) => a.at(-1),
  unique,
  removeDuplicates: unique,
  pluck: (a, ...keys) => (keys.length ? a.flatMap((value) => {
    const found = keys.filter((key) => kindOf(value) === 'object' && Object.hasOwn(value, key)).map((key) => value[key]);
    return found.length > 1 ? [found] : found;
  }) : a),
  chunk,
  compact: compactList,
  append: (a, ...values) => [...a, ...values],
  sum,
  average: (a) => (a.length ? sum(a) / a.length : 0),
  min: (a) => Math.min(...numbers(a)),
  max: (a) => Math.max(...numbers(a)),
  intersection: (a, other) => unique(a.filter((value) => has(list(other), value))),
  difference: (a, other) => unique(a.filter((value) => !has(list(other), value))),
  union: (a, other) => unique([...a, ...list(other)]),
  merge: mergeAll,
  randomItem: (a) => a[Math.floor(Math.random() * a.length)],
  renameKeys: (a, ...pairs) => {
    if (pairs.length % 2) throw new Failure('renameKeys() needs pairs of an old and a new name');
    const names = new Map(chunk(fields(...pairs), 2));
    return a.map((value) => (kindOf(value) === 'object'
      ? Object.fromEntries(Object.entries(value).map(([key, own]) => [names.get(key) ?? key, own])) : value));
  },
  smartJoin: (a, key, value) => {
    fields(key, value);
    return Object.fromEntries(a.filter((each) => kindOf(each) === 'object' && each[key] !== undefined)
      .map((each) => [each[key], each[value]]));
  },
  toJsonString: (a) => stringify(a),
  ...NO_VALUE,
};

// --- objects, numbers, booleans -------------------------------------------------------------------


function containing(part) {
  if (typeof part !== 'string' || part === '') throw new Failure('A text to look for was expected');
  return (value) => typeof value === 'string' && value.includes(part);
}

function keep(object, test) {
  return Object.fromEntries(Object.entries(object).filter(([key, value]) => test(value, key)));
}

const OBJECT_METHODS = {
  ...NO_VALUE,
  isEmpty,
  isNotEmpty: (o) => !isEmpty(o),
  keys: (o) => Object.keys(o),
  values: (o) => Object.values(o),
  hasField: (o, name) => Object.hasOwn(o, name),
  removeField: (o, name) => keep(o, (_, key) => key !== name),
  removeFieldsContaining: (o, part) => {
    const has = containing(part);
    return keep(o, (value) => !has(value));
  },
  keepFieldsContaining: (o, part) => keep(o, containing(part)),
  compact: compactObject,
  merge: (o, other) => ({ ...other, ...o }),
  urlEncode: (o) => Object.entries(o).map((pair) => pair.map((part) => encodeURIComponent(String(part)).replaceAll('%20', '+')).join('=')).join('&'),
  toJsonString: (o) => stringify(o),
};

function round(value, digits = 0) {
  const scale = 10 ** digits;
  return (Math.sign(value) * Math.round(Math.abs(value) * scale)) / scale; // halves away from zero
}

function isLocale(name) {
  try {
    return Boolean(Intl.getCanonicalLocales(name));
  } catch {
    return false;
  }
}

function integer(value) {
  if (!Number.isInteger(value)) throw new Failure(`${value} is no whole number, so neither even nor odd`);
  return value;
}

const NUMBER_METHODS = {
  isEmpty: isFalsy,
  isNotEmpty: Boolean,
  round,
  ceil: (n) => Math.ceil(n),
  floor: (n) => Math.floor(n),
  abs: (n) => Math.abs(n),
  isEven: (n) => integer(n) % 2 === 0,
  isOdd: (n) => Math.abs(integer(n)) % 2 === 1,
  isInteger: (n) => Number.isInteger(n),
  format: (n, locale = 'en-US', options = {}) => (isLocale(locale) ? new Intl.NumberFormat(locale, options).format(n) : String(n)),
  toBoolean,
  toInt,
  toWholeNumber: toInt,
  toFloat: (n) => n,
  toNumber: (n) => n,
  toDateTime,
  toJsonString: (n) => stringify(n),
};

const BOOLEAN_METHODS = {
  isEmpty: isFalsy,
  isNotEmpty: Boolean,
  toInt: Number,
  toFloat: Number,
  toNumber: Number,
  toBoolean,
  toJsonString: (b) => stringify(b),
};

// --- dates ----------------------------------------------------------------------------------------

function unitOf(unit) {
  return String(unit).toLowerCase().replace(/s$/, '');
}

function shifted(sign) {
  return (date, amount, unit = 'milliseconds') => {
    const by = typeof amount === 'object' ? amount : { [`${unitOf(unit)}s`]: amount };
    return like(date, sign > 0 ? toDateTime(date).plus(by) : toDateTime(date).minus(by));
  };
}

// A result of the same type as the date it came from.
function like(date, result) {
  return date instanceof Date ? result.toJSDate() : result;
}

function difference(from, to, unit = 'days') {
  const units = [unit].flat();
  const found = toDateTime(to).diff(toDateTime(from), units);
  return units.length === 1 ? found.as(units[0]) : found.toObject();
}

function extract(date, unit = 'week') {
  const when = toDateTime(date);
  const name = unitOf(unit);
  if (name === 'yeardaynumber') return when.ordinal - 1; // n8n counts from 0
  return when.get({ week: 'weekNumber' }[name] ?? name);
}

// Undefined where it is none.
function dateOr(value) {
  try {
    return toDateTime(value);
  } catch (error) {
    if (value !== undefined && error instanceof Failure) return undefined;
    throw error;
  }
}

const DATE_METHODS = {
  isEmpty: () => false,
  isNotEmpty: () => true,
  format: (d, format = 'yyyy-MM-dd', options = {}) => toDateTime(d).toFormat(format, options),
  plus: shifted(1),
  minus: shifted(-1),
  extract,
  isBetween: (d, a, b) => {
    const [first, second] = [dateOr(a), dateOr(b)].sort((x, y) => x - y);
    return first && second ? first < toDateTime(d) && toDateTime(d) < second : undefined;
  },
  isInLast: (d, amount, unit = 'minutes') => {
    const now = library('luxon').DateTime.now();
    return now.minus({ [`${unitOf(unit)}s`]: amount }) <= toDateTime(d) && toDateTime(d) <= now;
  },
  isWeekend: (d) => toDateTime(d).weekday > 5,
  isDst: (d) => toDateTime(d).isInDST,
  beginningOf: (d, unit = 'week') => like(d, toDateTime(d).startOf(unitOf(unit))),
  endOfMonth: (d) => like(d, toDateTime(d).endOf('month')),
  diffTo: (d, other, unit) => difference(other, d, unit),
  diffToNow: (d, unit) => difference(library('luxon').DateTime.now(), d, unit),
  toDateTime,
  toDate: (d) => toDateTime(d).toJSDate(),
  toInt: (d) => toDateTime(d).toMillis(),
  toNumber: (d) => toDateTime(d).toMillis(),
  toBoolean: () => true,
  toJsonString: (d) => stringify(d),
};

const NULL_METHODS = {
  isEmpty: () => true, isNotEmpty: () => false, toBoolean: () => false, toJsonString: () => 'null',
};

const METHODS = {
  string: STRING_METHODS, array: ARRAY_METHODS, object: OBJECT_METHODS, number: NUMBER_METHODS,
  boolean: BOOLEAN_METHODS, date: DATE_METHODS, null: NULL_METHODS, function: {}, symbol: {}, bigint: {},
};

function invoke(name, self, args) {
  const kind = kindOf(self);
  const own = METHODS[kind];
  if (kind === 'date' && Object.hasOwn(own, name)) return own[name](self, ...args);
  if (self !== null && self !== undefined && typeof self[name] === 'function') return self[name](...args);
  if (Object.hasOwn(own, name)) return own[name](self, ...args);
  const kinds = Object.keys(METHODS).filter((each) => Object.hasOwn(METHODS[each], name) && each !== 'null');
  throw new Failure(`${name}() is not for a value of type ${kind}`, `It works on: ${kinds.join(', ')}.`);
}

const SYMBOLS = Object.create(null);
const NULLISH = Object.create(null);

for (const name of new Set(Object.values(METHODS).flatMap((methods) => Object.keys(methods)))) {
  SYMBOLS[name] = Symbol(name);
  Object.defineProperty(Object.prototype, SYMBOLS[name], {
    value: function method(...args) { return invoke(name, this, args); },
  });
  NULLISH[SYMBOLS[name]] = (...args) => invoke(name, null, args);
}
Object.freeze(SYMBOLS);
Object.freeze(NULLISH);

function orNullish(value) {
  return value ?? NULLISH;
}
