import { effective, visible } from "./conditions";
import { usePlace } from "./context";
import type { Property } from "./definition";
import { PropertyField } from "./PropertyField";

export type Values = Record<string, unknown>;

interface ParameterFormProps {
  properties: Property[];
  values: Values;
  onChange: (values: Values) => void;
  /** Effective values at the node's root, where these are not it. */
  root?: Values;
  prefix?: string;
}

/** The parameters that show, one under the other. */
export function ParameterForm({ properties, values, onChange, root, prefix = "" }: ParameterFormProps) {
  const { version } = usePlace();
  const beside = effective(properties, values, version, root);
  const scope = { beside, root: root ?? beside, version };
  return (
    <div className="parameters">
      {visible(properties, scope).map((property) => (
        <PropertyField
          key={`${property.name}:${property.type}`}
          id={`${prefix}${property.name}`}
          property={property}
          value={values[property.name]}
          root={scope.root}
          onChange={(value) => onChange({ ...values, [property.name]: value })}
        />
      ))}
    </div>
  );
}
