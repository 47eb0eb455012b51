import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { ChevronsUpDown } from "lucide-react";
import { type FocusEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import type { LookedUp } from "../api/types";
import { t } from "../i18n";
import { usePlace } from "./context";

const PAUSE_MS = 150;

interface LookUpProps {
  id: string;
  label: string;
  loader: string;
  /** What is shown while the list is closed. */
  text: string;
  placeholder?: string | undefined;
  onChoose: (choice: LookedUp) => void;
}

/** A choice that is looked up: opens on focus, what is typed searches at its source, the list goes on as one scrolls. */
export function LookUp({ id, label, loader, text, placeholder, onChoose }: LookUpProps) {
  const { lookUp, readOnly } = usePlace();
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [search, setSearch] = useState("");
  const [marked, setMarked] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setSearch(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const found = useInfiniteQuery({
    queryKey: ["options", id, loader, search],
    queryFn: ({ pageParam, signal }) => lookUp?.(loader, search, pageParam, signal) ?? Promise.reject(new Error()),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
    enabled: open,
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 0,
  });
  const listed = found.data?.pages.flatMap((page) => page.options) ?? [];
  // what the source does not list can be named all the same
  const own: LookedUp[] = typed.trim() === "" || listed.some((choice) => choice.name.toLowerCase() === typed.trim().toLowerCase()) ? [] : [{ name: t("form.useText", { text: typed.trim() }), value: typed.trim() }];
  const choices = [...listed, ...own];
  const close = () => {
    setOpen(false);
    setTyped("");
    setSearch("");
    setMarked(0);
  };
  const choose = (choice: LookedUp | undefined) => {
    if (!choice) return;
    onChoose(own.includes(choice) ? { ...choice, name: String(choice.value) } : choice);
    close();
  };
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!open) {
      if (step !== undefined || event.key === "Enter") setOpen(true);
      return;
    }
    if (step !== undefined) {
      event.preventDefault();
      const next = Math.max(0, Math.min(choices.length - 1, marked + step));
      setMarked(next);
      list.current?.querySelectorAll("[role=option]")[next]?.scrollIntoView({ block: "nearest" });
      if (next >= choices.length - 5 && found.hasNextPage && !found.isFetching) void found.fetchNextPage();
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(choices[marked]);
    } else if (event.key === "Escape") {
      // the dialog around the form stays open
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  };
  const leave = (event: FocusEvent) => {
    if (!event.currentTarget.contains(event.relatedTarget)) close();
  };
  const more = () => {
    const box = list.current;
    if (box && box.scrollTop + box.clientHeight > box.scrollHeight - 80 && found.hasNextPage && !found.isFetching) void found.fetchNextPage();
  };
  return (
    <div className="lookup" onBlur={leave} onKeyDown={keys}>
      <input
        id={id}
        role="combobox"
        aria-label={label}
        aria-expanded={open}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={open && choices[marked] ? `${listId}-${marked}` : undefined}
        autoComplete="off"
        disabled={readOnly}
        placeholder={open ? t("form.search") : (placeholder ?? t("form.choose"))}
        value={open ? typed : text}
        onFocus={() => setOpen(true)}
        onClick={() => setOpen(true)}
        onChange={(event) => { setTyped(event.target.value); setMarked(0); setOpen(true); }}
      />
      <ChevronsUpDown size={15} aria-hidden="true" />
      {open && (
        <div className="choices-list" ref={list} onScroll={more}>
          <div id={listId} role="listbox" aria-label={t("form.choicesOf", { label })}>
            {choices.map((choice, at) => (
              <div
                key={`${own.includes(choice) ? "own" : "listed"} ${String(choice.value)}`}
                id={`${listId}-${at}`}
                role="option"
                aria-selected={at === marked}
                onMouseMove={() => setMarked(at)}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => choose(choice)}
              >
                <span className="cut">{choice.name}</span>
                {choice.description && <small>{choice.description}</small>}
              </div>
            ))}
          </div>
          <p role="status" className={found.isError ? "bad" : "soft"}>
            {found.isError ? found.error.message : found.isFetching ? t("form.loading") : listed.length === 0 ? t("form.noChoices") : ""}
          </p>
        </div>
      )}
    </div>
  );
}
