import { arrayLiteral } from '../array-literal.js';
import type { SqlParameter } from '../sql.js';
import { rfc3339 } from '../../model/time.js';

/** The part of the database that a check covers. */
export interface Scope {
  /** Null: all connections, plus rows without an existing one. */
  connectionIds: readonly string[] | null;
  /** Ms since 1970; null: all times. */
  since: number | null;
}

/** The whole database. */
export const WHOLE: Scope = { connectionIds: null, since: null };

/** The two parameters of every scoped query: `$1` connections, `$2` since; both null if unrestricted. */
export function scopeParameters({ connectionIds, since }: Scope): SqlParameter[] {
  return [connectionIds === null ? null : arrayLiteral(connectionIds), rfc3339(since)];
}

/** Condition on a connection's id. The planner sees the parameters, so an absent one costs nothing. */
export function inScope(column: string): string {
  return `($1::uuid[] is null or ${column} = any($1::uuid[]))`;
}

/** Condition on a time. */
export function sinceScope(column: string): string {
  return `($2::timestamptz is null or ${column} >= $2::timestamptz)`;
}
