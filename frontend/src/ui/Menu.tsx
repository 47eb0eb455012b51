import * as Dropdown from "@radix-ui/react-dropdown-menu";
import { type ReactNode, useState } from "react";

export interface MenuEntry {
  label: string;
  icon?: ReactNode;
  keys?: string;
  bad?: boolean;
  onSelect: () => void;
}

type Entries = readonly (MenuEntry | null)[];

/** null in the entries draws a line. */
function Items({ entries }: { entries: Entries }) {
  return entries.map((entry, index) =>
    entry ? (
      <Dropdown.Item key={entry.label} className={entry.bad ? "bad" : ""} onSelect={entry.onSelect}>
        {entry.icon}
        {entry.label}
        {entry.keys && <kbd>{entry.keys}</kbd>}
      </Dropdown.Item>
    ) : (
      <Dropdown.Separator key={`line ${index}`} />
    ),
  );
}

/** A menu on a button. */
export function Menu({ trigger, entries, align = "end" }: { trigger: ReactNode; entries: Entries; align?: "start" | "end" }) {
  return (
    <Dropdown.Root modal={false}>
      <Dropdown.Trigger asChild>{trigger}</Dropdown.Trigger>
      <Dropdown.Portal>
        <Dropdown.Content className="menu" align={align} sideOffset={6} collisionPadding={8}>
          <Items entries={entries} />
        </Dropdown.Content>
      </Dropdown.Portal>
    </Dropdown.Root>
  );
}

/** A menu that is open at a point of the screen. What had the keyboard's focus gets it back. */
export function PointMenu({ x, y, label, entries, onClose }: { x: number; y: number; label: string; entries: Entries; onClose: () => void }) {
  const [before] = useState(() => document.activeElement);
  const back = (event: Event) => {
    event.preventDefault();
    if (before instanceof HTMLElement && document.activeElement === document.body) before.focus({ preventScroll: true });
  };
  return (
    <Dropdown.Root modal={false} open onOpenChange={(open) => { if (!open) onClose(); }}>
      <Dropdown.Trigger asChild><span style={{ position: "fixed", left: x, top: y }} tabIndex={-1} aria-hidden /></Dropdown.Trigger>
      <Dropdown.Portal>
        <Dropdown.Content className="menu" aria-label={label} align="start" sideOffset={2} collisionPadding={8} onCloseAutoFocus={back}>
          <Items entries={entries} />
        </Dropdown.Content>
      </Dropdown.Portal>
    </Dropdown.Root>
  );
}
