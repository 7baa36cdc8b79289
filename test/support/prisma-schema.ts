/** A table as schema.prisma or a database describes it; both give this shape, so that they can be compared. */
export interface TableShape {
  columns: Record<string, ColumnShape>;
  primaryKey: { name: string; columns: string[] };
  /** By name. */
  indexes: Record<string, { unique: boolean; method: string; columns: string[] }>;
  foreignKeys: Record<string, ForeignKeyShape>;
}

export interface ColumnShape {
  /** As PostgreSQL writes it. */
  type: string;
  notNull: boolean;
  default: string | null;
}

export interface ForeignKeyShape {
  columns: string[];
  table: string;
  references: string[];
  onUpdate: string;
  onDelete: string;
}

interface Field {
  name: string;
  column: string;
  type: string;
  optional: boolean;
  list: boolean;
  attributes: string;
}

interface Model {
  name: string;
  table: string;
  fields: Field[];
  /** `@@id([…])`, `@@unique([…])` …, one per element. */
  attributes: string[];
}

const TYPES: Readonly<Record<string, string>> = {
  String: 'text',
  'String@db.Uuid': 'uuid',
  'DateTime@db.Timestamptz(3)': 'timestamp(3) with time zone',
  Int: 'integer',
  BigInt: 'bigint',
  Boolean: 'boolean',
  Json: 'jsonb',
  Bytes: 'bytea',
};

/** PostgreSQL cuts names at 63 bytes, and Prisma does so before it. */
const MAX_NAME = 63;

/**
 * The tables that a schema.prisma describes, with the names and defaults that Prisma gives to what is not spelled out.
 * Reads the part of the language that ours uses, and throws at anything else.
 */
export function readPrismaSchema(schema: string): Record<string, TableShape> {
  const models = [...schema.matchAll(/^model (\w+) \{\n(.*?)^\}/gms)].map(([, name = '', body = '']) =>
    readModel(name, body),
  );
  return Object.fromEntries(models.map((model) => [model.table, shapeOf(model, models)]));
}

function readModel(name: string, body: string): Model {
  const model: Model = { name, table: name, fields: [], attributes: [] };
  for (const line of body.split('\n').map((text) => text.trim())) {
    if (line === '' || line.startsWith('//')) continue;
    const map = /^@@map\("(\w+)"\)$/.exec(line);
    const field = /^(\w+)\s+(\w+)(\[\]|\?)?(?:\s+(@.*))?$/.exec(line);
    if (map !== null) model.table = map[1] ?? name;
    else if (line.startsWith('@@')) model.attributes.push(line);
    else if (field !== null) {
      const [, fieldName = '', type = '', suffix, attributes = ''] = field;
      const column = /@map\("(\w+)"\)/.exec(attributes)?.[1] ?? fieldName;
      model.fields.push({
        name: fieldName,
        column,
        type,
        optional: suffix === '?',
        list: suffix === '[]',
        attributes,
      });
    } else throw new Error(`schema.prisma: what is this? ${line}`);
  }
  return model;
}

function shapeOf(model: Model, models: readonly Model[]): TableShape {
  const isRelation = (field: Field): boolean => models.some((other) => other.name === field.type);
  const scalars = model.fields.filter((field) => !isRelation(field));
  const columnOf = (name: string): string => fieldNamed(model, name).column;
  const ids = scalars.filter((field) => /@id\b/.test(field.attributes)).map((field) => field.column);
  const shape: TableShape = {
    columns: Object.fromEntries(scalars.map((field) => [field.column, columnShape(field, model.table)])),
    primaryKey: { name: `${model.table}_pkey`, columns: ids },
    indexes: {},
    foreignKeys: {},
  };

  function addIndex(columns: string[], unique: boolean, method = 'btree'): void {
    const name = `${model.table}_${columns.join('_')}_${unique ? 'key' : 'idx'}`.slice(0, MAX_NAME);
    shape.indexes[name] = { unique, method, columns };
  }

  for (const field of scalars) if (/@unique\b/.test(field.attributes)) addIndex([field.column], true);
  for (const attribute of model.attributes) {
    const match = /^@@(id|unique|index)\(\[([\w, ]+)\](?:, type: (\w+))?\)$/.exec(attribute);
    if (match === null) throw new Error(`schema.prisma: what is this? ${attribute}`);
    const [, kind, names = '', method] = match;
    const columns = names.split(/,\s*/).map(columnOf);
    if (kind === 'id') shape.primaryKey.columns = columns;
    else addIndex(columns, kind === 'unique', method?.toLowerCase());
  }
  for (const field of model.fields.filter(isRelation)) {
    if (!field.attributes.includes('@relation(')) continue;
    const key = foreignKeyOf(field, model, models);
    shape.foreignKeys[`${model.table}_${key.columns.join('_')}_fkey`.slice(0, MAX_NAME)] = key;
  }
  return shape;
}

function columnShape(field: Field, table: string): ColumnShape {
  const native = /@db\.\w+(?:\(\d+\))?/.exec(field.attributes)?.[0] ?? '';
  const type = TYPES[field.type + native];
  if (type === undefined) throw new Error(`schema.prisma: no type for ${field.type}${native}`);
  return {
    type: field.list ? `${type}[]` : type,
    // Prisma has no word for a list that may be null: here it is one that has no default.
    notNull: !field.optional && (!field.list || isEmptyByDefault(field)),
    default: isEmptyByDefault(field) ? `'{}'::${type}[]` : defaultOf(field, type, table),
  };
}

function isEmptyByDefault(field: Field): boolean {
  return field.list && field.attributes.includes('@default([])');
}

/** As PostgreSQL gives a default back. */
function defaultOf(field: Field, type: string, table: string): string | null {
  const value = /@default\((now\(\)|autoincrement\(\)|"[^"]*"|[\w.]+)\)/.exec(field.attributes)?.[1];
  if (value === undefined) return null;
  if (value === 'now()') return 'CURRENT_TIMESTAMP';
  if (value === 'autoincrement()') return `nextval('${table}_${field.column}_seq'::regclass)`;
  return value.startsWith('"') ? `'${value.slice(1, -1)}'::${type}` : value;
}

function foreignKeyOf(field: Field, model: Model, models: readonly Model[]): ForeignKeyShape {
  const target = models.find((other) => other.name === field.type);
  const list = (name: string): string[] =>
    new RegExp(`${name}: \\[([\\w, ]+)\\]`).exec(field.attributes)?.[1]?.split(/,\s*/) ?? [];
  const action = (name: string): string | undefined =>
    new RegExp(`${name}: (\\w+)`).exec(field.attributes)?.[1]?.toLowerCase();
  if (target === undefined) throw new Error(`schema.prisma: no model ${field.type}`);
  return {
    columns: list('fields').map((name) => fieldNamed(model, name).column),
    table: target.table,
    references: list('references').map((name) => fieldNamed(target, name).column),
    onUpdate: action('onUpdate') ?? 'cascade',
    onDelete: action('onDelete') ?? (field.optional ? 'setnull' : 'restrict'),
  };
}

function fieldNamed(model: Model, name: string): Field {
  const field = model.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`schema.prisma: ${model.name} has no ${name}`);
  return field;
}
