import type { CheckedArchive } from '../../archive/read-archive.js';
import type { TableFigures } from './types.js';

/** Tables whose rows only the secret key opens: they travel sealed. */
const SEALED = new Set([
  'linked_devices',
  'linked_device_keys',
  'graph_credentials',
  'saved_comparisons',
  'owed_files',
]);

/** What a file says of itself, for a result. */
export function figuresOf({ header, manifest }: CheckedArchive): {
  rows: number;
  tables: TableFigures[];
  format: number;
  toolVersion: string;
  schema: string;
  createdAt: string;
  scope: { organization?: string | undefined; connection?: string | undefined } | null;
  sealedRows: number;
} {
  const { format, tool, migrations, createdAt, scope } = header;
  return {
    rows: manifest.rows,
    tables: manifest.tables.map(({ name, rows, parts }) => ({
      table: name,
      rows,
      parts: parts.length,
      bytes: parts.reduce((sum, { size }) => sum + size, 0),
    })),
    format,
    toolVersion: tool,
    schema: migrations.at(-1) ?? '',
    createdAt,
    scope: scope ?? null,
    sealedRows: manifest.tables
      .filter(({ name }) => SEALED.has(name))
      .reduce((sum, { rows }) => sum + rows, 0),
  };
}
