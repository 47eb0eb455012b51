import { useQuery } from "@tanstack/react-query";
import { Download, File } from "lucide-react";
import { type ReactNode, type RefCallback, useCallback } from "react";
import { file, query } from "../api/client";
import type { Item } from "../graph/document";
import { t } from "../i18n";
import { bytes } from "../shell/format";
import { sayError } from "../ui/toast";
import { HtmlPreview } from "./HtmlPreview";

/** Where the files of items are: what an execution's node gave at an output. */
export interface FilePlace {
  execution: string;
  node: string;
  run: number;
  output: number;
}

interface Entry {
  name: string;
  fileName: string;
  mimeType: string;
  fileSize: string | number;
}

/** The files of an item, by name. */
export function filesOf(item: Item | undefined): Entry[] {
  return Object.entries(item?.binary ?? {}).map(([name, entry]) => {
    const { fileName = name, mimeType = "", fileSize = "" } = (entry ?? {}) as Partial<Entry>;
    return { name, fileName, mimeType, fileSize };
  });
}

/** Larger ones are saved, not shown. */
const MOST = 64 * 1024 * 1024;
const MOST_DRAWING = 1024 * 1024;
const MOST_TEXT = 256 * 1024;

const TEXT = /^(text\/|application\/(json|xml|javascript|yaml|sql|x-ndjson)|.*\+(json|xml)$)/;

/** What shows a file; none of the types that it is told to the browser as runs, whatever the file says. */
function previewOf(shown: PreviewProps): ReactNode {
  const kind = shown.type.split(";")[0]?.trim().toLowerCase() ?? "";
  if (/^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(kind)) return <Picture {...shown} />;
  if (kind === "image/svg+xml") return <Drawing {...shown} />;
  if (/^audio\/[\w.+-]+$/.test(kind)) return <Sound {...shown} />;
  if (/^video\/[\w.+-]+$/.test(kind)) return <Film {...shown} />;
  if (kind === "application/pdf") return <Document {...shown} />;
  return TEXT.test(kind) ? <Text {...shown} /> : <p className="soft">{t("data.noPreview")}</p>;
}

const addressOf = (place: FilePlace, item: number, name: string): string =>
  `/executions/${place.execution}/files?${query({ node: place.node, run: place.run, output: place.output, item, name })}`;

/** The files of one item: what they are, what is in them, and a way to save them. */
export function Files({ item, index, place }: { item: Item | undefined; index: number; place: FilePlace | undefined }) {
  const entries = filesOf(item);
  if (entries.length === 0) return <p className="soft">{t("data.noFiles")}</p>;
  return <div className="files">{entries.map((entry) => <Shown key={entry.name} entry={entry} address={place && addressOf(place, index, entry.name)} />)}</div>;
}

function Shown({ entry, address }: { entry: Entry; address: string | undefined }) {
  const save = async (from: string) => {
    try {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await file(from));
      link.download = entry.fileName;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      if (error instanceof Error) sayError(error);
    }
  };
  return (
    <figure className="file">
      <figcaption className="row">
        <File size={16} />
        <span className="grow cut"><strong>{entry.fileName}</strong> <span className="soft">{[entry.name, entry.mimeType, entry.fileSize].filter(Boolean).join(" · ")}</span></span>
        {address && <button type="button" className="small" onClick={() => void save(address)}><Download size={14} />{t("data.saveFile")}</button>}
      </figcaption>
      {address && previewOf({ address, type: entry.mimeType, name: entry.fileName })}
    </figure>
  );
}

interface PreviewProps {
  address: string;
  type: string;
  name: string;
}

/** The file as soon as it is there; what went wrong instead. */
function useFile(address: string, most = MOST): { data: Blob | undefined; problem: ReactNode } {
  const { data, error } = useQuery({ queryKey: ["file", address], queryFn: () => file(address, { most }), staleTime: Infinity, gcTime: 0, retry: false });
  return { data, problem: error && <p className="notice" role="alert">{error.message}</p> };
}

/** Lets an element show the bytes as a type. The address that is made for them ends with the element. */
function useSource(data: Blob | undefined, type: string): RefCallback<HTMLImageElement | HTMLMediaElement | HTMLIFrameElement> {
  return useCallback(
    (element) => {
      if (!data || !element) return undefined;
      const url = URL.createObjectURL(new Blob([data], { type }));
      element.src = url;
      return () => URL.revokeObjectURL(url);
    },
    [data, type],
  );
}

function Picture({ address, type, name }: PreviewProps): ReactNode {
  const { data, problem } = useFile(address);
  const source = useSource(data, type);
  return problem ?? (data && <img className="preview" ref={source} alt={name} />);
}

/** An SVG. As an image it runs nothing and loads nothing; its address has no origin, so that it does so by itself neither. */
function Drawing({ address, name }: PreviewProps): ReactNode {
  const { data, error } = useQuery({
    queryKey: ["drawing", address],
    queryFn: async () => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await (await file(address, { most: MOST_DRAWING })).text())}`,
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });
  if (error) return <p className="notice" role="alert">{error.message}</p>;
  return data && <img className="preview" src={data} alt={name} />;
}

function Sound({ address, type, name }: PreviewProps): ReactNode {
  const { data, problem } = useFile(address);
  const source = useSource(data, type);
  return problem ?? (data && <audio className="preview" controls ref={source} aria-label={name} />);
}

function Film({ address, type, name }: PreviewProps): ReactNode {
  const { data, problem } = useFile(address);
  const source = useSource(data, type);
  return problem ?? (data && <video className="preview" controls ref={source} aria-label={name} />);
}

/** A PDF in the browser's own viewer, which has a process and an origin of its own. */
function Document({ address, name }: PreviewProps): ReactNode {
  const { data, problem } = useFile(address);
  const source = useSource(data, "application/pdf");
  return problem ?? (data && <iframe className="preview page" ref={source} title={name} />);
}

function Text({ address, type, name }: PreviewProps): ReactNode {
  const found = useQuery({
    queryKey: ["text of file", address],
    queryFn: async () => {
      const held = await file(address, { first: MOST_TEXT });
      return { text: read(await held.arrayBuffer(), type), whole: held.size < MOST_TEXT };
    },
    staleTime: Infinity,
    retry: false,
  });
  if (found.isError) return <p className="notice" role="alert">{found.error.message}</p>;
  if (!found.data) return null;
  const { text, whole } = found.data;
  return (
    <>
      {/^text\/html\b/i.test(type) ? <HtmlPreview html={text} /> : <pre className="preview" tabIndex={0} role="region" aria-label={name}>{whole ? pretty(text, type) : text}</pre>}
      {!whole && <p className="soft">{t("data.beginning", { size: bytes(MOST_TEXT) })}</p>}
    </>
  );
}

/** In the encoding that the type names; UTF-8 where it names none that there is. */
function read(data: ArrayBuffer, type: string): string {
  const named = /charset="?([\w-]+)/i.exec(type)?.[1];
  try {
    return new TextDecoder(named).decode(data);
  } catch {
    return new TextDecoder().decode(data);
  }
}

function pretty(text: string, type: string): string {
  if (!/\bjson\b/i.test(type)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
