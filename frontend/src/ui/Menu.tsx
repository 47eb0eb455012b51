import * as Dropdown from "@radix-ui/react-dropdown-menu";
import type { ReactNode } from "react";

export interface MenuEntry {
  label: string;
  icon?: ReactNode;
  keys?: string;
  bad?: boolean;
  onSelect: () => void;
}

/** A menu on a button; null in the entries draws a line. */
export function Menu({ trigger, entries, align = "end" }: { trigger: ReactNode; entries: (MenuEntry | null)[]; align?: "start" | "end" }) {
  return (
    <Dropdown.Root modal={false}>
      <Dropdown.Trigger asChild>{trigger}</Dropdown.Trigger>
      <Dropdown.Portal>
        <Dropdown.Content className="menu" align={align} sideOffset={6} collisionPadding={8}>
          {entries.map((entry, index) =>
            entry ? (
              <Dropdown.Item key={entry.label} className={entry.bad ? "bad" : ""} onSelect={entry.onSelect}>
                {entry.icon}
                {entry.label}
                {entry.keys && <kbd>{entry.keys}</kbd>}
              </Dropdown.Item>
            ) : (
              <Dropdown.Separator key={`line ${index}`} />
            ),
          )}
        </Dropdown.Content>
      </Dropdown.Portal>
    </Dropdown.Root>
  );
}
