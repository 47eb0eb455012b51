import { useQuery } from "@tanstack/react-query";
import { useReactFlow, ViewportPortal } from "@xyflow/react";
import { api } from "../api/api";
import { t } from "../i18n";
import { type Other, colourOf, initialsOf } from "./presence";
import { reveal, shownGraph } from "./folding";
import { sceneOf } from "./scene";
import { useEditor, useEditorStore } from "./store";
import "./people.css";

/** More than these are a number. */
const MOST = 4;

function useNames(): (other: Other) => string {
  const me = useQuery({ queryKey: ["me"], queryFn: api.me, staleTime: Infinity });
  return (other) => (other.user_id === me.data?.id ? t("people.you") : other.name);
}

/** Who else has the workflow open. A press goes to what they have chosen. */
export function People() {
  const store = useEditorStore();
  const flow = useReactFlow();
  const others = useEditor((state) => state.others);
  const nodes = useEditor((state) => state.history.graph.nodes);
  const nameOf = useNames();
  const go = (id: string) => {
    reveal(store, id);
    const box = sceneOf(shownGraph(store.getState()), store.getState().definitions).boxes.get(id);
    if (box) void flow.setCenter(box.x + box.width / 2, box.y + box.height / 2, { zoom: flow.getZoom(), duration: 250 });
  };
  return (
    <>
      <span className="sr" role="status">{others.length > 0 ? t("people.here", { names: others.map(nameOf).join(", ") }) : ""}</span>
      {others.length > 0 && (
        <ul className="people" aria-label={t("people.title")}>
          {others.slice(0, MOST).map((other) => {
            const node = other.nodes.find((id) => id in nodes) ?? "";
            const label = node ? t("people.chose", { name: nameOf(other), node: nodes[node]?.name ?? "" }) : nameOf(other);
            return (
              <li key={other.user_id}>
                <button className={`person-mark ${colourOf(other.user_id)}`} aria-label={label} title={label} onClick={() => go(node)}>{initialsOf(other.name)}</button>
              </li>
            );
          })}
          {others.length > MOST && <li className="person-mark more" title={others.slice(MOST).map(nameOf).join(", ")}>+{others.length - MOST}</li>}
        </ul>
      )}
    </>
  );
}

/** What the others have chosen, marked on the canvas. */
export function Choices() {
  const others = useEditor((state) => state.others);
  const graph = useEditor(shownGraph);
  const definitions = useEditor((state) => state.definitions);
  const nameOf = useNames();
  const marked = others.flatMap((other) => other.nodes.map((node) => ({ other, node })));
  if (marked.length === 0) return null;
  const { boxes } = sceneOf(graph, definitions);
  return (
    <ViewportPortal>
      {marked.map(({ other, node }, index) => {
        const box = boxes.get(node);
        return box && (
          <span key={index} className={`choice ${colourOf(other.user_id)}`} style={{ translate: `${box.x}px ${box.y}px`, width: box.width, height: box.height }} aria-hidden="true">
            <i>{nameOf(other)}</i>
          </span>
        );
      })}
    </ViewportPortal>
  );
}
