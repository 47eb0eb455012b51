/** What an API key may be limited to: kinds of things, and what is done with them. */
export const SCOPES = {
  workflow: ["read", "create", "update", "delete", "publish", "execute", "test"],
  execution: ["read", "stop", "retry", "delete"],
  credential: ["read", "create", "update", "delete", "test"],
  variable: ["read", "create", "update", "delete"],
  data_table: ["read", "create", "update", "delete"],
  tag: ["read", "create", "update", "delete"],
} as const;
export type Kind = keyof typeof SCOPES;
export const KINDS = Object.keys(SCOPES) as Kind[];

const all = KINDS.flatMap((kind) => SCOPES[kind].map((verb) => `${kind}:${verb}`));

export const PRESETS = {
  read: all.filter((scope) => scope.endsWith(":read")),
  run: ["workflow:read", "workflow:execute", "execution:read", "execution:stop", "execution:retry"],
} as const;

/** As few scopes as say the same: a whole kind is `kind:*`. */
export function shortened(chosen: ReadonlySet<string>): string[] {
  return KINDS.flatMap((kind) => {
    const held = SCOPES[kind].filter((verb) => chosen.has(`${kind}:${verb}`));
    return held.length === SCOPES[kind].length ? [`${kind}:*`] : held.map((verb) => `${kind}:${verb}`);
  });
}
