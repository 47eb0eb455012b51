import type { ReactNode } from "react";

/** The Markdown of notes: headings, lists, emphasis, code, links. Drawn as elements, so no HTML of a note runs. */
export function Markdown({ text }: { text: string }) {
  return <div className="markdown">{blocks(text)}</div>;
}

const INLINE = /(\*\*[^*]+\*\*|\*[^*\s][^*]*\*|`[^`]+`|!?\[[^\]]*\]\([^)\s]+\))/g;

function inline(text: string): ReactNode[] {
  return text.split(INLINE).map((part, index) => {
    if (part.startsWith("**") && part.length > 4) return <strong key={index}>{part.slice(2, -2)}</strong>;
    if (part.startsWith("`") && part.length > 2) return <code key={index}>{part.slice(1, -1)}</code>;
    if (part.startsWith("*") && part.length > 2) return <em key={index}>{part.slice(1, -1)}</em>;
    const link = /^!?\[([^\]]*)\]\((https?:\/\/[^)\s]+)\)$/.exec(part);
    if (link) return <a key={index} href={link[2]} target="_blank" rel="noreferrer noopener">{link[1] || link[2]}</a>;
    return part;
  });
}

function blocks(text: string): ReactNode[] {
  const drawn: ReactNode[] = [];
  let items: ReactNode[] = [];
  const flush = () => {
    if (items.length > 0) drawn.push(<ul key={`list ${drawn.length}`}>{items}</ul>);
    items = [];
  };
  text.split("\n").forEach((line, index) => {
    const item = /^\s*(?:[-*]|\d+\.)\s+(.*)$/.exec(line);
    if (item) {
      items.push(<li key={index}>{inline(item[1] ?? "")}</li>);
      return;
    }
    flush();
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    if (heading) drawn.push(<div key={index} className={`heading h${heading[1]?.length ?? 1}`}>{inline(heading[2] ?? "")}</div>);
    else if (line.trim()) drawn.push(<p key={index}>{inline(line)}</p>);
  });
  flush();
  return drawn;
}
