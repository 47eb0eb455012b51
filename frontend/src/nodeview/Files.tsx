import { useQuery } from "@tanstack/react-query";
import { Download, File } from "lucide-react";
import { file, query } from "../api/client";
import type { Item } from "../graph/document";
import { t } from "../i18n";
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

const IMAGE = /^image\/(png|jpeg|gif|webp|avif|bmp)$/;
const PAGE = /^text\/html\b/;
const TEXT = /^(text\/|application\/(json|xml|javascript|yaml)|.*\+(json|xml)$)/;
const MOST_TEXT = 256 * 1024;

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
      {address && (IMAGE.test(entry.mimeType) ? <Picture address={address} name={entry.fileName} /> : TEXT.test(entry.mimeType) ? <Text address={address} page={PAGE.test(entry.mimeType)} /> : <p className="soft">{t("data.noPreview")}</p>)}
    </figure>
  );
}

function Picture({ address, name }: { address: string; name: string }) {
  const found = useQuery({ queryKey: ["file", address], queryFn: () => file(address), staleTime: Infinity });
  const { data } = found;
  if (found.isError) return <p className="notice" role="alert">{found.error.message}</p>;
  if (!data) return null;
  const show = (image: HTMLImageElement) => {
    image.src = URL.createObjectURL(data);
    return () => URL.revokeObjectURL(image.src);
  };
  return <img className="preview" ref={show} alt={name} />;
}

function Text({ address, page }: { address: string; page: boolean }) {
  const found = useQuery({ queryKey: ["text of file", address], queryFn: async () => (await file(address, MOST_TEXT)).text(), staleTime: Infinity });
  if (found.isError) return <p className="notice" role="alert">{found.error.message}</p>;
  if (found.data === undefined) return null;
  return page ? <HtmlPreview html={found.data} /> : <pre className="preview">{found.data}</pre>;
}
