import { itemAt } from '../../decode/item-at.js';
import { INCLUDABLE_CHATS, type IncludableChat } from '../../model/enumerations.js';
import type { Fact, SkipReason } from '../../model/facts.js';
import type { JsonValue } from '../../model/json.js';
import { messageIdOfFact } from '../../rules/fact-traits.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import type { EntryHead, LoggedEntry } from '../../store/tables/stored-entries.js';
import type { PendingReason } from '../../ingest/batch/batch.js';
import { OwnNumbers, ownNumberReason } from '../../ingest/batch/own-number.js';
import type { DecodedEntry, RawLog } from '../../rawlog/raw-log.js';
import type { Chunk } from './result.js';

/** One fact of a stored entry, with all that decoding the entry again tells about it. */
export interface LoggedItem {
  entry: EntryHead;
  fact: Fact;
  connection: ConnectionRow | null;
  /** Why it waits, when nobody knows whose it is. */
  pending: PendingReason | null;
  /** By what the entry names its number, for somebody who has to enter it. */
  hint: { phoneNumberId: string | null; displayPhone: string | null; session: string | null };
  chunk: Chunk | null;
  /** Left out by what no decoder knows: the business's own number (I4). */
  ownNumber: SkipReason | null;
  /** What a skipped chat's item would have been with `--include`: a replay may have brought it in that way. */
  included: Fact | null;
  /** The item as it came; only of what a fact does not keep. */
  raw: () => JsonValue | undefined;
}

export interface LoggedItems {
  entry: EntryHead;
  items: LoggedItem[];
  failure: string | null;
  unrecognized: readonly { path: string; reason: string; excerpt: string }[];
}

const EVERYTHING: ReadonlySet<IncludableChat> = new Set(INCLUDABLE_CHATS);

/** The items of a decoded entry, with those of chats that were left out. */
export function readItems(decoded: DecodedEntry<LoggedEntry>, log: RawLog): LoggedItems {
  const included = chatsIncluded(decoded, log);
  const { rawBody, ...head } = decoded.entry;
  const own = new OwnNumbers();
  const items = decoded.sections.flatMap(({ section, connection, pending }) => {
    const { phoneNumberId, displayPhoneNumber, sessionName } = section.connection;
    const hint = {
      phoneNumberId: phoneNumberId ?? null,
      displayPhone: displayPhoneNumber ?? null,
      session: sessionName ?? null,
    };
    const chunks = chunksOf(section.facts);
    return section.facts.map((fact): LoggedItem => ({
      entry: head,
      fact,
      connection,
      pending,
      hint,
      chunk: chunkOf(fact, chunks),
      ownNumber: connection === null ? null : (ownNumberReason(own, fact, connection)?.reason ?? null),
      included: fact.kind === 'skipped' ? (included.get(fact.path) ?? null) : null,
      raw: () => itemAt(rawBody, fact.path),
    }));
  });
  return {
    entry: head,
    items,
    failure: decoded.failure?.message ?? null,
    unrecognized: decoded.unrecognized,
  };
}

/** The facts of chats that rule M6 leaves out, by path. Decoding twice is for entries that hold one only. */
function chatsIncluded(decoded: DecodedEntry<LoggedEntry>, log: RawLog): Map<string, Fact> {
  const facts = new Map<string, Fact>();
  const leftOut = decoded.sections.some(({ section }) =>
    section.facts.some((fact) => fact.kind === 'skipped' && isIncludable(fact.reason)),
  );
  if (!leftOut) return facts;
  for (const { section } of log.decodeWith(decoded, EVERYTHING).sections) {
    for (const fact of section.facts)
      if (messageIdOfFact(fact) !== null && !facts.has(fact.path)) facts.set(fact.path, fact);
  }
  return facts;
}

export function isIncludable(reason: string): reason is IncludableChat {
  return INCLUDABLE_CHATS.some((chat) => chat === reason);
}

function chunksOf(facts: readonly Fact[]): { path: string; chunk: Chunk }[] {
  return facts.flatMap((fact) =>
    fact.kind === 'history_chunk'
      ? [
          {
            path: fact.path,
            chunk: {
              phase: fact.phase ?? null,
              chunkOrder: fact.chunkOrder ?? null,
              progress: fact.progress ?? null,
            },
          },
        ]
      : [],
  );
}

/** The chunk inside which the item stands. */
function chunkOf(fact: Fact, chunks: readonly { path: string; chunk: Chunk }[]): Chunk | null {
  return chunks.find(({ path }) => fact.path === path || isBelow(fact.path, path))?.chunk ?? null;
}

function isBelow(path: string, parent: string): boolean {
  return path.startsWith(parent) && (path[parent.length] === '.' || path[parent.length] === '[');
}
