import { arrayLiteral } from '../array-literal.js';
import type { SqlParameter } from '../sql.js';
import { rfc3339 } from '../../model/time.js';

/** Our messages in the scope of a comparison. */
export interface ComparisonScope {
  connectionIds: readonly string[];
  /** Ms since 1970. */
  since: number | null;
  /** Ms since 1970, not included. */
  until: number | null;
  leadId: string | null;
}

/** The parameters of {@link IN_SCOPE}. */
export function parametersOf({ connectionIds, since, until, leadId }: ComparisonScope): SqlParameter[] {
  return [arrayLiteral(connectionIds), rfc3339(since), rfc3339(until), leadId];
}

/** A condition: the row `m` of messages is in the scope. */
export const IN_SCOPE = `m.connection_id = any($1::uuid[])
  and ($2::timestamptz is null or m.timestamp >= $2::timestamptz)
  and ($3::timestamptz is null or m.timestamp < $3::timestamptz)
  and ($4::uuid is null or m.lead_id = $4::uuid)`;
