import { z } from 'zod';
import { descriptionOf, innerOf, SECRET_NAME } from './load-config.js';

/** One setting, for documentation that is generated. */
export interface ConfigRow {
  readonly name: string;
  /** `text`, `number`, `true or false`, or the values that are allowed, separated by ` | `. */
  readonly type: string;
  /** As it would stand in the environment; undefined when it has none. */
  readonly default: string | undefined;
  /** Whether a start without it fails. */
  readonly required: boolean;
  readonly secret: boolean;
  readonly description: string;
}

/** The settings of a schema, in its order. */
export function describeConfig(schema: z.ZodObject): readonly ConfigRow[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const byDefault = defaultOf(field);
    return {
      name,
      type: typeOf(field),
      default: byDefault,
      required: !(field as z.ZodType).safeParse(undefined).success,
      secret: SECRET_NAME.test(name),
      description: descriptionOf(field),
    };
  });
}

/** The text of an `.env.example`: each setting with its meaning, commented out where a default applies. */
export function envExample(rows: readonly ConfigRow[]): string {
  return rows
    .map((row) => {
      const facts = [row.type, row.required ? 'required' : row.default === undefined ? 'optional' : `default ${row.default}`].join(', ');
      const setting = row.required ? `${row.name}=` : `# ${row.name}=${row.default ?? ''}`;
      return `# ${row.description === '' ? row.name : row.description} (${facts})\n${setting}\n`;
    })
    .join('\n');
}

function typeOf(field: z.core.$ZodType): string {
  const { def } = field._zod;
  switch (def.type) {
    case 'number':
    case 'int':
      return 'number';
    case 'boolean':
      return 'true or false';
    case 'enum':
      return Object.values((def as z.core.$ZodEnumDef).entries).join(' | ');
    case 'literal':
      return (def as z.core.$ZodLiteralDef<z.core.util.Literal>).values.map(String).join(' | ');
    case 'pipe': {
      // `z.stringbool()` and the like read text; what they give says more than what they take.
      const { in: from, out: to } = def as z.core.$ZodPipeDef;
      return to._zod.def.type === 'transform' ? typeOf(from) : typeOf(to);
    }
    default: {
      const inner = innerOf(field);
      return inner === undefined ? 'text' : typeOf(inner);
    }
  }
}

function defaultOf(field: z.core.$ZodType): string | undefined {
  const { def } = field._zod as { readonly def: { readonly type: string; readonly defaultValue?: unknown } };
  if (def.type === 'default' || def.type === 'prefault') return typeof def.defaultValue === 'string' ? def.defaultValue : JSON.stringify(def.defaultValue);
  const inner = innerOf(field);
  return inner === undefined ? undefined : defaultOf(inner);
}
