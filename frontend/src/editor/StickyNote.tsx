import { type NodeProps, NodeResizer, NodeToolbar, Position } from "@xyflow/react";
import { memo } from "react";
import { changeNode } from "../graph/commands";
import { t } from "../i18n";
import type { FaceData } from "./NodeFace";
import { noteSize, STRETCH, toDocument } from "./geometry";
import { Markdown } from "./Markdown";
import { useTakesFocus } from "./focus";
import { useEditor, useEditorStore } from "./store";

const COLOURS = [1, 2, 3, 4, 5, 6, 7];

/** A note on the canvas: Markdown, written by a double click. */
export const StickyNote = memo(function StickyNote({ data, selected, id }: NodeProps & { data: FaceData }) {
  const { node } = data;
  const store = useEditorStore();
  const readOnly = useEditor((state) => state.readOnly);
  const writing = useEditor((state) => state.writing === id && !state.readOnly);
  const setWriting = (on: boolean) => store.setState({ writing: on ? id : null });
  const element = useTakesFocus(id);
  const { width, height, color } = noteSize(node);
  const content = typeof node.parameters.content === "string" ? node.parameters.content : "";
  const write = (text: string) => store.getState().change(changeNode(id, { parameters: { ...node.parameters, content: text } }), `note ${id}`);
  return (
    <div ref={element} className={`note colour-${((color - 1) % 7) + 1}${selected ? " selected" : ""}`} style={{ width, height }} onDoubleClick={() => setWriting(!readOnly)}>
      <NodeResizer
        isVisible={selected && !readOnly}
        minWidth={120}
        minHeight={60}
        onResizeEnd={(_, size) => {
          const parameters = { ...node.parameters, width: Math.round(size.width / STRETCH), height: Math.round(size.height) };
          store.getState().change(changeNode(id, { parameters, position: toDocument(size) }));
        }}
      />
      {selected && !readOnly && !writing && (
        <NodeToolbar isVisible position={Position.Top} align="start" className="note-colours" role="radiogroup" aria-label={t("group.colour")}>
          {COLOURS.map((each) => (
            <button
              key={each}
              className={`colour-${each}`}
              role="radio"
              aria-checked={each === ((color - 1) % 7) + 1}
              aria-label={t("editor.noteColour", { number: each })}
              onClick={() => store.getState().change(changeNode(id, { parameters: { ...node.parameters, color: each } }))}
            />
          ))}
        </NodeToolbar>
      )}
      {writing ? (
        <textarea
          className="nodrag nowheel"
          aria-label={t("editor.note")}
          autoFocus
          defaultValue={content}
          onBlur={(event) => { write(event.target.value); setWriting(false); }}
          onKeyDown={(event) => { event.stopPropagation(); if (event.key === "Escape") event.currentTarget.blur(); }}
        />
      ) : (
        <Markdown text={content} />
      )}
    </div>
  );
});
