import i18next from "i18next";
import type english from "./en.json";

export type Key = keyof typeof english;
type Plural = Key extends infer Each ? (Each extends `${infer Stem}_one` ? Stem : never) : never;

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;
const STORED = "weft.language";

const files: Record<Language, () => Promise<{ default: Record<string, string> }>> = {
  en: () => import("./en.json"),
  de: () => import("./de.json"),
};

/** The chosen language, else the browser's first that there are texts for. */
export function language(): Language {
  const wanted = [localStorage.getItem(STORED), ...navigator.languages.map((each) => each.slice(0, 2))];
  return wanted.find((each): each is Language => each !== null && each in LANGUAGES) ?? "en";
}

/** Loads the texts; nothing is drawn before. */
export async function load(): Promise<void> {
  const lng = language();
  document.documentElement.lang = lng;
  const { default: texts } = await files[lng]();
  await i18next.init({
    lng,
    resources: { [lng]: { translation: texts } },
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
  });
}

/** Chooses a language; the page loads anew with it. */
export function choose(next: Language): void {
  localStorage.setItem(STORED, next);
  location.reload();
}

/** A text in the reader's language. `count` chooses the plural. */
export function t(key: Key | Plural, values: Record<string, string | number> = {}): string {
  return i18next.t(key, values);
}

/** A text by a key that data made, or the fallback where there is none. */
export function named(key: string, fallback: string): string {
  return i18next.exists(key) ? i18next.t(key) : fallback;
}
