import type { CrmMessage, CrmRecord } from '../../crm/crm.js';
import { metaTypeOf } from '../../crm/kinds.js';
import type { CrmSource, ReadPair } from '../../crm/source.js';
import type { Context } from '../../context.js';
import type { CrmName } from '../../model/enumerations.js';
import type { Identities } from '../../model/facts.js';
import type { RawEntry } from '../../model/raw-entry.js';
import { replayAdopted } from '../replay/replay-adopted.js';
import type { ConnectionMatch } from './match-connections.js';
import type { AdoptResult } from './types.js';

/**
 * Stores the messages that only the CRM has: each row as a raw entry, ranked below every source of WhatsApp's own, so a
 * later log replaces it. Opens no ticket. Reads the CRM a second time, in the comparison's snapshot.
 * `rows` and `pairs`: what only the CRM has, by the connection's id.
 */
export async function adoptRows(
  ctx: Context,
  source: CrmSource,
  matches: readonly ConnectionMatch[],
  rows: ReadonlyMap<string, ReadonlySet<string>>,
  pairs: ReadonlyMap<string, readonly ReadPair[]>,
  { dryRun }: { dryRun: boolean },
): Promise<AdoptResult> {
  const total: AdoptResult = {
    dryRun,
    entries: 0,
    pairs: 0,
    created: 0,
    rejected: 0,
    erased: 0,
    merged: 0,
    runs: [],
  };
  for (const connection of new Set(matches.map((match) => match.connection))) {
    const wanted = rows.get(connection.id) ?? new Set<string>();
    const names = pairs.get(connection.id) ?? [];
    if (wanted.size + names.length === 0 || ctx.signal.aborted) continue;
    const keys = matches.filter((match) => match.connection === connection).map(({ crm }) => crm.key);
    const entries = entriesOf(source, keys, wanted, names);
    const result = await replayAdopted(ctx, { crm: source.dialect.name, connection, entries, dryRun });
    total.entries += wanted.size;
    total.pairs += names.length;
    total.created += result.messages.created;
    total.rejected += Object.values(result.messages.rejected).reduce((sum, count) => sum + count, 0);
    total.erased += result.messages.skipped['erased'] ?? 0;
    total.merged += result.leads.merged;
    total.runs.push(result.runId);
  }
  return total;
}

async function* entriesOf(
  source: CrmSource,
  keys: readonly string[],
  wanted: ReadonlySet<string>,
  pairs: readonly ReadPair[],
): AsyncGenerator<RawEntry, void, undefined> {
  for (const pair of pairs) yield pairEntry(source.dialect.name, pair);
  if (wanted.size === 0) return;
  for await (const page of source.rows(keys)) {
    for (const { row, record } of page) {
      if (row.kind === 'message' && wanted.has(row.message.rowId))
        yield entryOf(source.dialect.name, row.message, record);
    }
  }
}

/** The form that src/decode/exports/crm-row.ts reads. */
function entryOf(crm: CrmName, message: CrmMessage, record: CrmRecord): RawEntry {
  const { externalId, direction, person, at, storedAt, type, body, rowId } = message;
  const bytes = bytesOf({
    crm,
    message: {
      external_id: externalId,
      direction,
      people: namesOf(person),
      ...(at === null ? {} : { timestamp: Math.floor(at / 1000) }),
      ...(storedAt === null ? {} : { stored_at: Math.floor(storedAt / 1000) }),
      type: metaTypeOf(type),
      ...(body === undefined || body === null ? {} : { body }),
    },
    row: record,
  });
  const receivedAt = at ?? storedAt;
  return {
    bytes,
    origin: { kind: 'crm', crm, rowId },
    ...(receivedAt === null ? {} : { receivedAt }),
  };
}

/** Several names of one person, according to the CRM. */
function pairEntry(crm: CrmName, { person, record }: ReadPair): RawEntry {
  const { id } = record;
  return {
    bytes: bytesOf({ crm, people: namesOf(person), row: record }),
    origin: { kind: 'crm', crm, rowId: typeof id === 'string' ? id : '' },
  };
}

/** Drivers return large numbers as `bigint`, which JSON cannot represent. */
function bytesOf(entry: object): Buffer {
  return Buffer.from(
    JSON.stringify(entry, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
  );
}

function namesOf({ phone, lid, waId, bsuids = [] }: Identities): string[] {
  return [phone, lid, waId, ...bsuids].filter((name) => name !== undefined);
}
