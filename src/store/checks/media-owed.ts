import { textOf, textOrNull, timeOf } from '../row.js';
import type { Sql } from '../sql.js';
import { streamRows } from '../stream-rows.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

/** Meta sends the files of a history only for messages of the last so many days. */
export const MEDIA_WINDOW_DAYS = 14;

/**
 * A message of a Cloud API history whose file was announced and has not come. WhatsApp Web's media have keys instead of an id
 * and are owed nothing; a revoked message stays empty (M5). For a query with `messages` under that alias.
 */
export function mediaOwed(alias: string): string {
  return `(${alias}.source = 'history' and ${alias}.deleted_at is null and ${alias}.external_id like 'wamid.%'
    and (${alias}.type = 'media_placeholder'
      or (${alias}.type in ('image', 'video', 'audio', 'voice', 'document', 'sticker')
        and ${alias}.media ->> 'id' is null and ${alias}.raw_meta -> 'mediaKeys' is null)))`;
}

export interface OwedMedia {
  connectionId: string;
  externalId: string | null;
  type: string;
  /** Ms since 1970. */
  timestamp: number;
}

/** By connection, the oldest first. */
export async function* streamOwedMedia(tx: Sql, scope: Scope): AsyncGenerator<OwedMedia[], void, undefined> {
  const pages = streamRows(
    tx,
    `select m.connection_id, m.external_id, m.type, m.timestamp from messages m
     where ${mediaOwed('m')} and ${inScope('m.connection_id')} and ${sinceScope('m.timestamp')}
     order by m.connection_id, m.timestamp, m.id`,
    scopeParameters(scope),
  );
  for await (const page of pages) {
    yield page.map((row) => ({
      connectionId: textOf(row, 'connection_id'),
      externalId: textOrNull(row, 'external_id'),
      type: textOf(row, 'type'),
      timestamp: timeOf(row, 'timestamp'),
    }));
  }
}
