/** What may stand for a `$n` in a statement. Arrays are passed as PostgreSQL array literals; see {@link arrayLiteral}. */
export type SqlParameter = string | number | boolean | Date | Uint8Array | null;

/** One row, as the drivers give it: timestamps are `Date`, jsonb is parsed, bigint is `bigint`, bytea is `Uint8Array`. */
export type SqlRow = Record<string, unknown>;

/** A place to run SQL: inside or outside a transaction, on PostgreSQL or PGlite alike. */
export interface Sql {
  /** Runs one statement and gives its rows. The caller parses them (zod or narrow readers); no casts here. */
  query(text: string, parameters?: readonly SqlParameter[]): Promise<SqlRow[]>;
  /** Runs one statement and gives the number of rows that it wrote. */
  execute(text: string, parameters?: readonly SqlParameter[]): Promise<number>;
}
