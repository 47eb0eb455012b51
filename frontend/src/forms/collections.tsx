import { ArrowDown, ArrowUp, Plus, X } from "lucide-react";
import { t } from "../i18n";
import { Menu } from "../ui/Menu";
import { effective, emptyOf, visible } from "./conditions";
import { usePlace } from "./context";
import type { Group } from "./definition";
import { ParameterForm, type Values } from "./ParameterForm";
import type { FieldProps } from "./PropertyField";
import { PropertyField } from "./PropertyField";

const asValues = (value: unknown): Values => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : {});

const without = (values: Values, name: string): Values => Object.fromEntries(Object.entries(values).filter(([key]) => key !== name));

/** Optional members: those that are set, and a menu of the others. */
export function CollectionField({ id, property, value, root, onChange }: FieldProps) {
  const { version, readOnly } = usePlace();
  const values = asValues(value);
  const fields = property.fields ?? [];
  const offered = visible(fields, { beside: effective(fields, values, version, root), root, version });
  const rest = offered.filter((field) => !(field.name in values));
  return (
    <div className="collection" role="group" aria-label={property.display_name}>
      <div className="row caption">
        <span className="label grow">{property.display_name}</span>
        {rest.length > 0 && !readOnly && (
          <Menu
            trigger={<button type="button" className="quiet small"><Plus size={15} />{t("form.addOption")}</button>}
            entries={rest.map((field) => ({ label: field.display_name, onSelect: () => onChange({ ...values, [field.name]: emptyOf(field) }) }))}
          />
        )}
      </div>
      {offered.filter((field) => field.name in values).map((field) => (
        <div key={field.name} className="member">
          <PropertyField id={`${id}.${field.name}`} property={field} value={values[field.name]} root={root} onChange={(next) => onChange({ ...values, [field.name]: next })} />
          {!readOnly && <button type="button" className="icon small" aria-label={t("form.remove", { label: field.display_name })} onClick={() => onChange(without(values, field.name))}><X size={15} /></button>}
        </div>
      ))}
    </div>
  );
}

/** Named groups of fields: one entry each, or lists of entries. */
export function FixedCollectionField({ id, property, value, root, onChange }: FieldProps) {
  const { readOnly } = usePlace();
  const values = asValues(value === undefined ? emptyOf(property) : value);
  const groups = property.groups ?? [];
  const addTo = (group: Group) => {
    const entry = Object.fromEntries(group.fields.filter((field) => field.default !== undefined && field.default !== null && !field.show).map((field) => [field.name, field.default]));
    onChange({ ...values, [group.name]: property.multiple ? [...entriesOf(values[group.name]), entry] : entry });
  };
  const free = groups.filter((group) => property.multiple || !(group.name in values));
  return (
    <div className="collection" role="group" aria-label={property.display_name}>
      <div className="row caption">
        <span className="label grow">{property.display_name}</span>
        {!readOnly && free.length === 1 && free[0] && <AddButton label={free[0].display_name} onClick={() => free[0] && addTo(free[0])} />}
        {!readOnly && free.length > 1 && (
          <Menu trigger={<button type="button" className="quiet small"><Plus size={15} />{t("form.add")}</button>} entries={free.map((group) => ({ label: group.display_name, onSelect: () => addTo(group) }))} />
        )}
      </div>
      {property.description && <span className="hint">{property.description}</span>}
      {groups.filter((group) => group.name in values).map((group) => (
        <Entries
          key={group.name}
          id={`${id}.${group.name}`}
          group={group}
          entries={entriesOf(values[group.name])}
          root={root}
          onChange={(entries) => onChange(entries.length === 0 ? without(values, group.name) : { ...values, [group.name]: property.multiple ? entries : entries[0] })}
        />
      ))}
    </div>
  );
}

const entriesOf = (value: unknown): Values[] => (Array.isArray(value) ? value.map(asValues) : value === undefined ? [] : [asValues(value)]);

export function AddButton({ label, onClick }: { label: string; onClick: () => void }) {
  return <button type="button" className="quiet small" onClick={onClick}><Plus size={15} />{t("form.addNamed", { label })}</button>;
}

interface EntriesProps {
  id: string;
  group: Group;
  entries: Values[];
  root: Values;
  onChange: (entries: Values[]) => void;
}

function Entries({ id, group, entries, root, onChange }: EntriesProps) {
  const { readOnly } = usePlace();
  const move = (from: number, to: number) => {
    const entry = entries[from];
    if (entry) onChange(entries.toSpliced(from, 1).toSpliced(to, 0, entry));
  };
  return entries.map((entry, index) => (
    <div key={index} className="entry" role="group" aria-label={`${group.display_name} ${index + 1}`}>
      <ParameterForm prefix={`${id}.${index}.`} properties={group.fields} values={entry} root={root} onChange={(next) => onChange(entries.with(index, next))} />
      {!readOnly && (
        <span className="entry-tools">
          {index > 0 && <button type="button" className="icon small" aria-label={t("form.up")} onClick={() => move(index, index - 1)}><ArrowUp size={15} /></button>}
          {index < entries.length - 1 && <button type="button" className="icon small" aria-label={t("form.down")} onClick={() => move(index, index + 1)}><ArrowDown size={15} /></button>}
          <button type="button" className="icon small" aria-label={t("form.remove", { label: group.display_name })} onClick={() => onChange(entries.toSpliced(index, 1))}><X size={15} /></button>
        </span>
      )}
    </div>
  ));
}
