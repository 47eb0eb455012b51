const TOKENS = ["ink", "ink-soft", "raised", "sunken", "line", "line-strong", "wire", "accent", "good", "bad", "busy", "wait", "tile", "note-1", "note-2", "note-3", "note-4", "note-5", "note-6", "note-7"] as const;

export type Colours = Record<(typeof TOKENS)[number], string>;

/** The theme's colours as a canvas takes them: resolved, for light or dark. */
function resolved(): Colours {
  const probe = document.body.appendChild(document.createElement("i"));
  const found = TOKENS.map((token) => {
    probe.style.color = `var(--${token})`;
    return [token, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  return Object.fromEntries(found) as Colours;
}

/** The present colours of the theme; `changed` is called when the user or the system turns from light to dark or back. */
export function watchColours(changed: () => void): { now: () => Colours; end: () => void } {
  let colours = resolved();
  const renew = () => {
    colours = resolved();
    changed();
  };
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", renew);
  const theme = new MutationObserver(renew);
  theme.observe(document.documentElement, { attributeFilter: ["style"] });
  return {
    now: () => colours,
    end: () => {
      scheme.removeEventListener("change", renew);
      theme.disconnect();
    },
  };
}
