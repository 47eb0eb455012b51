import { useEffect, useRef } from "react";
import { useEditor, useEditorStore } from "./store";

/** The element of a node takes the keyboard's focus when it is asked to. */
export function useTakesFocus(id: string) {
  const store = useEditorStore();
  const wanted = useEditor((state) => state.focusing === id);
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!wanted) return;
    element.current?.closest<HTMLElement>(".react-flow__node")?.focus({ preventScroll: true });
    store.setState({ focusing: null });
  }, [wanted, store]);
  return element;
}
