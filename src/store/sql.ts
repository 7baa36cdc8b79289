/**
 * Allowed values for a `$n` in a statement. Arrays are passed as PostgreSQL array literals; see {@link arrayLiteral}.
 */
export type SqlParameter = string | number | boolean | Date | Uint8Array | null;

/** One driver row: timestamps are `Date`, jsonb is parsed, bigint is `bigint`, bytea is `Uint8Array`. */
export type SqlRow = Record<string, unknown>;

/** Pieces of whole lines in COPY's text format. */
export type CopiedLines = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** A place to run SQL: inside or outside a transaction, on PostgreSQL or PGlite alike. */
export interface Sql {
  /** Runs one statement and returns its rows. The caller parses them (zod or narrow readers); no casts here. */
  query(text: string, parameters?: readonly SqlParameter[]): Promise<SqlRow[]>;
  /** Runs one statement and returns the number of rows written. */
  execute(text: string, parameters?: readonly SqlParameter[]): Promise<number>;
  /**
   * Runs `copy … from stdin` with COPY's text format, in pieces of whole lines, and returns the number of rows. Only inside a
   * transaction.
   */
  copy?: (statement: string, lines: CopiedLines) => Promise<number>;
  /**
   * Runs `copy … to stdout`, in pieces of any length, never more ahead than a buffer holds. Only inside a transaction, on a server: the
   * embedded database would put all of it together first. Whoever stops before the end breaks the transaction's connection.
   */
  copyOut?: (statement: string) => AsyncIterable<Uint8Array>;
}
