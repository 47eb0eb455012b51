export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
const STORED = "weft.theme";

export const theme = (): Theme => THEMES.find((each) => each === localStorage.getItem(STORED)) ?? "system";

/** Light, dark, or as the system says. The tokens follow `color-scheme`. */
export function setTheme(next: Theme): void {
  localStorage.setItem(STORED, next);
  restoreTheme();
}

export function restoreTheme(): void {
  const chosen = theme();
  document.documentElement.style.colorScheme = chosen === "system" ? "light dark" : chosen;
}
