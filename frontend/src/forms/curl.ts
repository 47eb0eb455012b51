/** A cURL command as the parameters of an HTTP Request node. */

export class CurlError extends Error {}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", v: "\v", a: "\x07", e: "\x1b", "\\": "\\", "'": "'", '"': '"', "?": "?" };

/** Words as a POSIX shell (and bash's `$'…'`) splits them; a line that ends in `\` or `^` goes on. Throws where a quote stays open. */
export function words(command: string): string[] {
  const text = command.replace(/[\\^]\r?\n/g, " ");
  const found: string[] = [];
  let word: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (/\s/.test(letter)) {
      if (word !== null) found.push(word);
      word = null;
      continue;
    }
    word ??= "";
    if (letter === "'" || letter === '"' || (letter === "$" && text[at + 1] === "'")) {
      const ansi = letter === "$";
      const quote = ansi ? "'" : letter;
      let inside = at + (ansi ? 2 : 1);
      for (; text[inside] !== quote; inside++) {
        if (inside >= text.length) throw new CurlError("quote");
        if (text[inside] !== "\\" || (quote === "'" && !ansi)) word += text.charAt(inside);
        else if (ansi) [word, inside] = escaped(text, inside, word);
        else word += /["\\$`]/.test(text.charAt(inside + 1)) ? text.charAt(++inside) : "\\";
      }
      at = inside;
    } else if (letter === "\\") word += text.charAt(++at);
    else word += letter;
  }
  if (word !== null) found.push(word);
  return found;
}

/** One escape of `$'…'` at its backslash. */
function escaped(text: string, at: number, word: string): [string, number] {
  const code = /^\\(?:u([\da-fA-F]{1,4})|x([\da-fA-F]{1,2})|([0-7]{1,3}))/.exec(text.slice(at, at + 6));
  if (code) return [word + String.fromCharCode(parseInt(code[1] ?? code[2] ?? code[3] ?? "0", code[3] ? 8 : 16)), at + code[0].length - 1];
  const next = text.charAt(at + 1);
  return [word + (ESCAPES[next] ?? `\\${next}`), at + 1];
}

const LONG: Record<string, string> = {
  X: "request", H: "header", d: "data", F: "form", u: "user", A: "user-agent", e: "referer", b: "cookie", x: "proxy", m: "max-time",
  G: "get", I: "head", k: "insecure", L: "location", o: "output", T: "upload-file", c: "cookie-jar", E: "cert", w: "write-out", D: "dump-header", K: "config",
};
const SWITCHES = new Set(["get", "head", "insecure", "location", "compressed", "silent", "show-error", "verbose", "include", "fail", "globoff", "http1.1", "http2", "no-buffer", "location-trusted", "fail-with-body", "http1.0", "tlsv1.2", "ipv4", "ipv6"]);

/** Options in order, by long name; an address is named "url". */
function options(given: string[]): [string, string][] {
  const found: [string, string][] = [];
  const rest = [...given];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word.startsWith("--")) {
      const [name = "", inline] = word.slice(2).split(/=(.*)/s);
      found.push([name, SWITCHES.has(name) ? "" : (inline ?? rest.shift() ?? "")]);
    } else if (word.startsWith("-") && word.length > 1) {
      for (let at = 1; at < word.length; at++) {
        const name = LONG[word.charAt(at)] ?? "";
        if (name === "" || SWITCHES.has(name)) {
          found.push([name, ""]);
          continue;
        }
        found.push([name, word.slice(at + 1) || (rest.shift() ?? "")]);
        break;
      }
    } else found.push(["url", word]);
  }
  return found;
}

interface Pair {
  name: string;
  value: string;
}

const split = (text: string, sign: string): Pair => {
  const at = text.indexOf(sign);
  return at < 0 ? { name: text, value: "" } : { name: text.slice(0, at), value: text.slice(at + 1) };
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
};

const fields = (text: string): Pair[] => text.split("&").filter(Boolean).map((part) => split(part, "=")).map(({ name, value }) => ({ name: decoded(name), value: decoded(value) }));

/** What stands for a text literally: one that begins with "=" would be an expression. */
const literal = (text: string): string => (text.startsWith("=") || text.includes("{{") ? `={{ ${JSON.stringify(text)} }}` : text);
const literals = (pairs: Pair[]): Pair[] => pairs.map(({ name, value }) => ({ name: literal(name), value: literal(value) }));

/** Throws CurlError: "quote" (one stays open), "notCurl", "url" (it names none), "file" (it sends one). */
export function fromCurl(command: string): Record<string, unknown> {
  const [program = "", ...given] = words(command.trim());
  if (!/(^|\/)curl(\.exe)?$/.test(program)) throw new CurlError("notCurl");
  const set = options(given);
  const all = (name: string) => set.filter(([each]) => each === name).map(([, value]) => value);
  const has = (name: string) => set.some(([each]) => each === name);
  const [address] = all("url");
  if (!address) throw new CurlError("url");

  const headers = all("header").filter((line) => /[:;]/.test(line)).map((line) => split(line, line.includes(":") ? ":" : ";")).map(({ name, value }) => ({ name: name.trim(), value: value.trim() }));
  for (const [option, name] of [["user-agent", "User-Agent"], ["referer", "Referer"], ["cookie", "Cookie"]] as const) headers.push(...all(option).map((value) => ({ name, value })));
  const [user] = all("user");
  if (user) headers.push({ name: "Authorization", value: `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(user)))}` });

  const data = set.flatMap(([name, value]) => {
    if (name === "data-urlencode") return [value.includes("=") ? `${split(value, "=").name}=${encodeURIComponent(split(value, "=").value)}` : encodeURIComponent(value)];
    return ["data", "data-raw", "data-binary", "data-ascii", "json"].includes(name) ? [value] : [];
  });
  const form = [...all("form"), ...all("form-string")].map((part) => split(part, "="));
  const sentFile = set.some(([name, value]) => (["data", "data-binary", "data-ascii"].includes(name) && value.startsWith("@")) || name === "upload-file");
  if (sentFile || form.some(({ value }) => /^[@<]/.test(value))) throw new CurlError("file");

  const [plain = "", queryText = ""] = address.split(/\?(.*)/s);
  const asQuery = has("get") ? data : [];
  const query = [...fields(queryText.replace(/#.*$/s, "")), ...asQuery.flatMap(fields)];
  const body = has("get") ? [] : data;
  const method = (all("request").at(-1) ?? (has("head") ? "HEAD" : body.length > 0 || form.length > 0 ? "POST" : "GET")).toUpperCase();
  const kind = headers.find(({ name }) => name.toLowerCase() === "content-type")?.value ?? (has("json") ? "application/json" : "application/x-www-form-urlencoded");
  const url = /^[a-z][a-z\d+.-]*:\/\//i.test(plain) ? plain : `http://${plain}`;

  const parameters: Record<string, unknown> = { method, url: literal(url) };
  if (query.length > 0) Object.assign(parameters, { sendQuery: true, queryParameters: { parameters: literals(query) } });
  if (form.length > 0) Object.assign(parameters, { sendBody: true, contentType: "multipart-form-data", bodyParameters: { parameters: literals(form).map((pair) => ({ parameterType: "formData", ...pair })) } });
  else if (body.length > 0) Object.assign(parameters, { sendBody: true, ...bodyOf(body, kind) });
  // the node writes the type of the body that it sends
  const kept = headers.filter(({ name, value }) => !(value === "" || (parameters.sendBody && name.toLowerCase() === "content-type") || name.toLowerCase() === "content-length"));
  if (kept.length > 0) Object.assign(parameters, { sendHeaders: true, headerParameters: { parameters: literals(kept) } });
  const more: Record<string, unknown> = {};
  if (has("insecure")) more.allowUnauthorizedCerts = true;
  if (Number(all("max-time")[0]) > 0) more.timeout = Number(all("max-time")[0]) * 1000;
  if (all("proxy")[0]) more.proxy = all("proxy")[0];
  if (Object.keys(more).length > 0) parameters.options = more;
  return parameters;
}

function bodyOf(parts: string[], kind: string): Record<string, unknown> {
  if (/\bjson\b/i.test(kind)) return { contentType: "json", specifyBody: "json", jsonBody: literal(parts.join("")) };
  if (/x-www-form-urlencoded/i.test(kind)) return { contentType: "form-urlencoded", bodyParameters: { parameters: literals(parts.flatMap(fields)) } };
  return { contentType: "raw", rawContentType: kind, body: literal(parts.join("&")) };
}
