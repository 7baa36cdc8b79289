import { z } from 'zod';

/** The format that this version writes; it reads this one and those before. */
export const FORMAT = 1;

/** The first entry: what the file is. */
export const HEADER_NAME = 'wa-reconcile-backup.json';
/** The last but one: what has to be in the file. */
export const MANIFEST_NAME = 'manifest.json';
/** The last: the digest of the manifest, as `sha256sum` writes it. */
export const DIGEST_NAME = 'manifest.json.sha256';

const count = z.number().int().nonnegative();

export const headerSchema = z.object({
  format: z.number().int().positive(),
  /** The version of wa-reconcile that wrote it. */
  tool: z.string(),
  /** The migrations of the database, in the order applied: the last one is the version of the tables. */
  migrations: z.array(z.string()).min(1),
  createdAt: z.iso.datetime(),
  /** Absent for everything. */
  scope: z.object({ organization: z.string().optional(), connection: z.string().optional() }).optional(),
});

export type Header = z.output<typeof headerSchema>;

const partSchema = z.object({
  name: z.string(),
  /** Of the compressed part. */
  size: count,
  sha256: z.string(),
  rows: count,
  /** Of the NDJSON in it. */
  bytes: count,
});

export type Part = z.output<typeof partSchema>;

const tableSchema = z.object({
  name: z.string(),
  /** In the order of the table; a value of a type that JSON cannot hold exactly is PostgreSQL's own text. */
  columns: z.array(z.object({ name: z.string(), type: z.string(), asText: z.boolean() })),
  rows: count,
  parts: z.array(partSchema),
  /** Where its sequences stand. */
  sequences: z.array(z.object({ name: z.string(), lastValue: z.string(), isCalled: z.boolean() })),
});

export type DumpedTable = z.output<typeof tableSchema>;

export const manifestSchema = z.object({
  header: z.object({ size: count, sha256: z.string() }),
  /** Referenced tables before those that refer to them. */
  tables: z.array(tableSchema),
  rows: count,
});

export type Manifest = z.output<typeof manifestSchema>;

/** `tables/messages/000001.ndjson.gz` */
export function partName(table: string, number: number): string {
  return `tables/${table}/${String(number).padStart(6, '0')}.ndjson.gz`;
}
