import { Panel } from "@xyflow/react";
import {
  AlignCenterHorizontal,
  AlignCenterVertical,
  AlignEndHorizontal,
  AlignEndVertical,
  AlignHorizontalSpaceAround,
  AlignStartHorizontal,
  AlignStartVertical,
  AlignVerticalSpaceAround,
  CopyPlus,
  Group,
  SquareArrowOutUpRight,
  Trash2,
  WandSparkles,
} from "lucide-react";
import { memo, type ReactNode } from "react";
import type { Alignment } from "../graph/layout";
import { type Key, t } from "../i18n";
import { alignSelected, distributeSelected, duplicateSelected, groupSelected, removeSelected, tidyUp } from "./actions";
import { type EditorStore, useEditor, useEditorStore } from "./store";

const aligned = (how: Alignment) => (store: EditorStore) => alignSelected(store, how);
const TOOLS: [Key, ReactNode, (store: EditorStore) => void][] = [
  ["align.left", <AlignStartVertical />, aligned("left")],
  ["align.centre", <AlignCenterVertical />, aligned("centre")],
  ["align.right", <AlignEndVertical />, aligned("right")],
  ["align.top", <AlignStartHorizontal />, aligned("top")],
  ["align.middle", <AlignCenterHorizontal />, aligned("middle")],
  ["align.bottom", <AlignEndHorizontal />, aligned("bottom")],
  ["align.acrossX", <AlignHorizontalSpaceAround />, (store) => distributeSelected(store, "x")],
  ["align.acrossY", <AlignVerticalSpaceAround />, (store) => distributeSelected(store, "y")],
  ["editor.tidy", <WandSparkles />, tidyUp],
  ["editor.group", <Group />, groupSelected],
  ["editor.extract", <SquareArrowOutUpRight />, (store) => store.setState({ extracting: true })],
  ["action.duplicate", <CopyPlus />, duplicateSelected],
  ["action.delete", <Trash2 />, removeSelected],
];

/** What can be done with several nodes at once. */
export function SelectionBar() {
  const count = useEditor((state) => state.selection.length);
  const readOnly = useEditor((state) => state.readOnly);
  if (count < 2 || readOnly) return null;
  return (
    <Panel position="top-center" className="selection-bar" role="toolbar" aria-label={t("editor.selection")}>
      <span className="soft">{t("editor.chosen", { count })}</span>
      <Tools />
    </Panel>
  );
}

/** Drawn once: how many are chosen changes while a rectangle is drawn. */
const Tools = memo(function Tools() {
  const store = useEditorStore();
  return TOOLS.map(([key, icon, run]) => <button key={key} className="icon small" aria-label={t(key)} title={t(key)} onClick={() => run(store)}>{icon}</button>);
});
