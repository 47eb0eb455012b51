import { autocompletion, closeBrackets, closeCompletion, type CompletionContext, completionKeymap, type CompletionResult, currentCompletions, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { html } from "@codemirror/lang-html";
import { javascript } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { python } from "@codemirror/lang-python";
import { sql } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { EditorState, type Extension, Prec } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap, lineNumbers, MatchDecorator, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useLayoutEffect, useRef } from "react";

export type CodeLanguage = "expression" | "javascript" | "python" | "sql" | "html" | "json";

interface CodeEditorProps {
  value: string;
  language: CodeLanguage;
  label: string;
  rows?: number;
  completions?: string[] | undefined;
  readOnly?: boolean | undefined;
  /** Takes the keyboard, behind its text, when it comes. */
  focused?: boolean;
  onChange: (value: string) => void;
}

const LANGUAGES: Record<CodeLanguage, () => Extension> = {
  expression: () => [expressions, EditorView.lineWrapping],
  javascript: () => javascript(),
  python: () => python(),
  sql: () => sql(),
  html: () => html(),
  json: () => json(),
};

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--busy)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--wait)" },
  { tag: [tags.comment], color: "var(--ink-faint)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.propertyName], color: "var(--accent)" },
]);

const look = EditorView.theme({
  "&": { fontSize: "12.5px", backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { fontFamily: "var(--mono)", padding: "7px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 10px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--ink-faint)", border: "none" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": { backgroundColor: "var(--accent-wash) !important" },
  ".cm-scroller": { overflow: "auto", maxHeight: "420px" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line)", borderRadius: "8px", overflow: "hidden" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-wash)", color: "var(--ink)" },
  ".cm-resolved": { color: "var(--accent)", backgroundColor: "var(--accent-wash)", borderRadius: "3px" },
});

const matcher = new MatchDecorator({ regexp: /\{\{[\s\S]*?\}\}/g, decoration: Decoration.mark({ class: "cm-resolved" }) });
const expressions = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = matcher.createDeco(view);
    }
    update(update: ViewUpdate) {
      this.decorations = matcher.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

const PATH = /\$[\w.$()"'[\]]*/;
/** A path that goes on narrows the list that is there: no key finds it being made anew. */
const WHOLE = new RegExp(`^${PATH.source}$`);

/** Escape closes a list that is seen; else it belongs to what is around the field, also while a list is looked for. */
const completionKeys = completionKeymap.map((binding) => (binding.key !== "Escape" ? binding : {
  key: "Escape",
  run: (view: EditorView) => {
    const seen = currentCompletions(view.state).length > 0;
    closeCompletion(view);
    return seen;
  },
}));

/** Completes paths of the data; in an expression only inside `{{ }}`. */
function complete(options: () => string[], inBraces: boolean) {
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(PATH);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    const before = context.state.sliceDoc(0, word.from);
    if (inBraces && before.lastIndexOf("{{") <= before.lastIndexOf("}}")) return null;
    return { from: word.from, options: options().map((label) => ({ label, type: "variable" })), validFor: WHOLE };
  };
}

/** A code field; loaded when the first one is shown. */
export default function CodeEditor({ value, language, label, rows = 1, completions, readOnly, focused = false, onChange }: CodeEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef({ onChange, completions });
  useEffect(() => {
    latest.current = { onChange, completions };
  });

  // before the next key: the field that it comes in place of is gone
  useLayoutEffect(() => {
    if (!place.current) return;
    const small = language === "expression";
    const extensions: Extension[] = [
      history(),
      bracketMatching(),
      closeBrackets(),
      indentOnInput(),
      syntaxHighlighting(colours),
      look,
      keymap.of([...defaultKeymap, ...historyKeymap, ...(small ? [] : [indentWithTab])]),
      autocompletion({
        override: [complete(() => latest.current.completions ?? [], small)],
        tooltipClass: () => "menu-tip",
        defaultKeymap: false,
        // in an expression Enter means the list as soon as it is seen; in code it may be meant for a new line
        ...(small && { interactionDelay: 0 }),
      }),
      Prec.highest(keymap.of(completionKeys)),
      // it can be reached by Tab anyway; said in words, as checkers of long lines that scroll look for it
      EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) latest.current.onChange(update.state.doc.toString());
      }),
      EditorState.readOnly.of(readOnly ?? false),
      LANGUAGES[language](),
      ...(small ? [] : [lineNumbers()]),
    ];
    const editor = new EditorView({ state: EditorState.create({ doc: value, extensions }), parent: place.current });
    view.current = editor;
    if (focused) {
      editor.dispatch({ selection: { anchor: value.length } });
      editor.focus();
      startCompletion(editor);
    }
    return () => {
      editor.destroy();
    };
    // the text is kept in step by the effect below; a new editor is made only for another language
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [language, label, readOnly]);

  // at once, or an older value could take the place of what was typed meanwhile
  useLayoutEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
    }
  }, [value]);

  return <div ref={place} className={`code ${language}`} style={{ "--rows": rows } as React.CSSProperties} />;
}
