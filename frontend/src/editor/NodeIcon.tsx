import { useState } from "react";

export const iconAddress = (type: string): string => `/api/v1/nodes/${encodeURIComponent(type)}/icon`;

/** The icon of a node type; its first letter where there is none. */
export function NodeIcon({ type, name, size = 22 }: { type: string; name: string; size?: number }) {
  const [missing, setMissing] = useState(false);
  if (missing) return <span className="letter" aria-hidden="true">{name.slice(0, 1).toUpperCase()}</span>;
  return <img src={iconAddress(type)} width={size} height={size} alt="" draggable={false} loading="lazy" onError={() => setMissing(true)} />;
}
