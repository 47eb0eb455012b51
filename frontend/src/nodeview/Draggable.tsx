import type { DragEvent, ReactNode } from "react";
import { DRAGGED } from "../forms/context";
import { pathSource } from "../forms/expression";
import type { Path } from "./data";

/** A field's name, to be dragged into a parameter as an expression. */
export function Draggable({ root, path, children, className }: { root: string | undefined; path: Path; children: ReactNode; className: string }) {
  if (!root) return <span className={className}>{children}</span>;
  const source = `{{ ${pathSource(root, path)} }}`;
  const start = (event: DragEvent) => {
    event.dataTransfer.setData(DRAGGED, source);
    event.dataTransfer.setData("text/plain", source);
    event.dataTransfer.effectAllowed = "copy";
  };
  return <span className={`${className} draggable`} draggable onDragStart={start} title={source}>{children}</span>;
}
