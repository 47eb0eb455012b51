import { t } from "../i18n";

// The first that a user-agent string names counts: each names those that it descends from, too (MDN, "Browser detection
// using the user agent string").
const BROWSERS: [string, RegExp][] = [
  ["Edge", /\bEdg(e|A|iOS)?\//],
  ["Opera", /\bOPR\//],
  ["Samsung Internet", /\bSamsungBrowser\//],
  ["Vivaldi", /\bVivaldi\//],
  ["Firefox", /\b(Firefox|FxiOS)\//],
  ["Chrome", /\b(Headless)?(Chrome|Chromium|CriOS)\//],
  ["Safari", /\bVersion\/\S+ .*\bSafari\//],
];
const SYSTEMS: [string, RegExp][] = [
  ["Android", /\bAndroid\b/],
  ["iOS", /\b(iPhone|iPad|iPod)\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac(intosh| OS X)\b/],
  ["Linux", /\bLinux\b/],
];

/** The browser and system of a user-agent string, as "Firefox on Windows"; of a program, its name, as "curl". */
export function browser(agent: string): string {
  const first = (known: [string, RegExp][]) => known.find(([, sign]) => sign.test(agent))?.[0];
  const name = first(BROWSERS) ?? /^(?!Mozilla\/)[\w.-]+/.exec(agent)?.[0];
  const system = first(SYSTEMS);
  return name && system ? t("settings.browserOn", { name, system }) : (name ?? system ?? t("settings.unknown"));
}
