import { describe, expect, it } from "vitest";
import { CurlError, fromCurl, words } from "./curl";

describe("words of a command", () => {
  it.each([
    [`curl 'a b' "c \\"d\\" $e" f\\ g`, ["curl", "a b", 'c "d" $e', "f g"]],
    ["curl \\\n  -H 'x: y' \\\r\n  z", ["curl", "-H", "x: y", "z"]],
    [`a'b'"c"d ''`, ["abcd", ""]],
    [`$'it\\'s\\n\\u00e9\\x41\\101'`, ["it's\néAA"]],
    [`"a\\nb" '\\n'`, ["a\\nb", "\\n"]],
  ])("%s", (command, expected) => {
    expect(words(command)).toEqual(expected);
  });

  it("need closed quotes", () => {
    expect(() => words("curl 'a")).toThrow(CurlError);
  });
});

describe("a cURL command", () => {
  it("becomes a call with headers and query", () => {
    expect(fromCurl("curl -sSL 'https://api.test/v1/things?limit=5&q=a%20b' -H 'Accept: application/json' -H 'X-Key: k' --compressed")).toEqual({
      method: "GET",
      url: "https://api.test/v1/things",
      sendQuery: true,
      queryParameters: { parameters: [{ name: "limit", value: "5" }, { name: "q", value: "a b" }] },
      sendHeaders: true,
      headerParameters: { parameters: [{ name: "Accept", value: "application/json" }, { name: "X-Key", value: "k" }] },
    });
  });

  it("sends JSON", () => {
    expect(fromCurl(`curl -X PUT https://a.test -H "content-type: application/json" --data-raw '{"a": [1, "x"]}'`)).toEqual({
      method: "PUT",
      url: "https://a.test",
      sendBody: true,
      contentType: "json",
      specifyBody: "json",
      jsonBody: '{"a": [1, "x"]}',
    });
    expect(fromCurl(`curl --json '{"b":1}' a.test/x`)).toMatchObject({ method: "POST", url: "http://a.test/x", contentType: "json", jsonBody: '{"b":1}' });
  });

  it("sends forms", () => {
    expect(fromCurl("curl https://a.test -d a=1 -d 'b=x y&c=%26' --data-urlencode 'd=e&f'")).toMatchObject({
      method: "POST",
      contentType: "form-urlencoded",
      bodyParameters: { parameters: [{ name: "a", value: "1" }, { name: "b", value: "x y" }, { name: "c", value: "&" }, { name: "d", value: "e&f" }] },
    });
    expect(fromCurl("curl https://a.test -F name=Ada -F 'note=x=y'")).toMatchObject({
      contentType: "multipart-form-data",
      bodyParameters: { parameters: [{ parameterType: "formData", name: "name", value: "Ada" }, { parameterType: "formData", name: "note", value: "x=y" }] },
    });
    expect(fromCurl("curl -G https://a.test -d q=1")).toMatchObject({ method: "GET", queryParameters: { parameters: [{ name: "q", value: "1" }] } });
  });

  it("sends anything else as it is", () => {
    expect(fromCurl("curl https://a.test -H 'Content-Type: text/xml' -d '<a/>'")).toMatchObject({ contentType: "raw", rawContentType: "text/xml", body: "<a/>" });
  });

  it("has authentication, cookies and options", () => {
    const made = fromCurl("curl -u ada:pässword -b 'a=1' -A me -k -m 2.5 -x http://proxy:1 -I https://a.test");
    expect(made).toMatchObject({
      method: "HEAD",
      headerParameters: { parameters: [{ name: "User-Agent", value: "me" }, { name: "Cookie", value: "a=1" }, { name: "Authorization", value: "Basic YWRhOnDDpHNzd29yZA==" }] },
      options: { allowUnauthorizedCerts: true, timeout: 2500, proxy: "http://proxy:1" },
    });
  });

  it("never makes an expression of a text", () => {
    expect(fromCurl(`curl https://a.test -H 'x: {{ $env.SECRET }}' -d 'a==1'`)).toMatchObject({
      headerParameters: { parameters: [{ name: "x", value: '={{ "{{ $env.SECRET }}" }}' }] },
      bodyParameters: { parameters: [{ name: "a", value: '={{ "=1" }}' }] },
    });
  });

  it.each([
    ["wget https://a.test", "notCurl"],
    ["curl -H 'a: b'", "url"],
    ["curl https://a.test -d @file.json", "file"],
    ["curl https://a.test -F 'file=@photo.jpg'", "file"],
    ["curl 'https://a.test", "quote"],
    ["", "notCurl"],
  ])("is refused: %s", (command, reason) => {
    expect(() => fromCurl(command)).toThrow(reason);
  });
});
