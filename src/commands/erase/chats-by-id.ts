import { wamidPrefixes } from '../../identity/name-words.js';
import { decodeWamid } from '../../identity/wamid.js';
import { namesIn } from '../../ingest/batch/redact-body.js';
import { RawLog } from '../../rawlog/raw-log.js';
import { numberInId } from '../../rules/fact-traits.js';
import { IS_ADOPTED_SQL } from '../../rules/evidence.js';
import { readChatsByIds, readMisfiled, type ErasedPerson } from '../../store/queries/erasure.js';
import type { Sql } from '../../store/sql.js';
import { findEntriesNaming } from '../../store/tables/removed-bodies.js';
import { patternsOf } from '../explain/log-items.js';

/** Entries that are read together. */
const TOGETHER = 500;

/** Whose chats the ids of messages tell. */
interface ChatsById {
  /** Leads that nothing else ties to the number. */
  leadIds: string[];
  /** Other names of the people whom the items are from or to. */
  names: string[];
}

/**
 * The chats with one person whose messages have one of these numbers in their ids: what that person is known by there is theirs. From rows,
 * whose bodies may be gone; and from the raw log, which also has what is in no row, or waits.
 */
export async function findChatsById(sql: Sql, numbers: readonly string[]): Promise<ChatsById> {
  const wanted = new Set(numbers);
  const prefixes = wamidPrefixes(numbers);
  if (prefixes.length === 0) return { leadIds: [], names: [] };
  const leadIds = new Set<string>();
  for (const { leadId, externalId } of await readChatsByIds(sql, prefixes)) {
    if (wanted.has(decodeWamid(externalId)?.phone ?? '')) leadIds.add(leadId);
  }
  const names = new Set<string>();
  const log = await RawLog.open(sql);
  const sought = { names: [], patterns: patternsOf(prefixes) };
  for (let after: string | null = null; ;) {
    const page: Awaited<ReturnType<typeof findEntriesNaming>> = await findEntriesNaming(
      sql,
      sought,
      after,
      TOGETHER,
    );
    after = page.last;
    if (after === null) break;
    for await (const { sections } of log.entries({ statuses: [], ids: page.ids })) {
      const facts = sections.flatMap(({ section }) => section.facts);
      const theirs = facts.filter((fact) => wanted.has(numberInId(fact) ?? ''));
      for (const name of namesIn(theirs)) names.add(name);
    }
  }
  return { leadIds: [...leadIds], names: [...names] };
}

/** The messages that a CRM files under others, although their ids have one of these people's numbers. */
export async function findMisfiled(sql: Sql, person: ErasedPerson): Promise<string[]> {
  const wanted = new Set(person.names);
  const found = await readMisfiled(sql, person, wamidPrefixes(person.names), IS_ADOPTED_SQL);
  return found.flatMap(({ id, externalId }) =>
    wanted.has(decodeWamid(externalId)?.phone ?? '') ? [id] : [],
  );
}
