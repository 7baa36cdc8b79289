import { claimOf, type WabaClaim } from '../../audit/unclaimed-waba.js';
import { isMisfiled } from '../../ingest/batch/prepare-entry.js';
import { itemAt } from '../../decode/item-at.js';
import { INCLUDABLE_CHATS, type IncludableChat } from '../../model/enumerations.js';
import type { Fact } from '../../model/facts.js';
import type { JsonValue } from '../../model/json.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import type { EntryHead, LoggedEntry } from '../../store/tables/stored-entries.js';
import type { PendingReason } from '../../ingest/batch/batch.js';
import type { DecodedEntry, RawLog } from '../../rawlog/raw-log.js';
import type { Chunk } from './result.js';
import { messageIdOfFact, whoIsNamed } from '../../rules/fact-traits.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import { WRONG_SIGNATURE } from '../../rules/signatures.js';

/** One fact of a stored entry, with its context in the entry. */
export interface EntryItem {
  entry: EntryHead;
  fact: Fact;
  /** Its Meta field or Baileys event. */
  field: string;
  connection: ConnectionRow | null;
  /** Why it is pending, if its connection is unknown. */
  pending: PendingReason | null;
  /** How the entry names its number, for the user who must add it. */
  hint: { phoneNumberId: string | null; displayPhone: string | null; session: string | null };
  /** The WABA that it names, and nothing else; null if it names a number, or nothing. */
  claim: WabaClaim | null;
  chunk: Chunk | null;
  /** What `--include` would make of an item from a skipped chat: a replay may have imported it. */
  included: Fact | null;
  /** The item as received, for details that the fact does not keep. */
  raw: () => JsonValue | undefined;
}

export interface EntryItems {
  entry: EntryHead;
  items: EntryItem[];
  /** Why it cannot be read; null also if its body was removed on purpose. */
  failure: string | null;
  /** How its body was removed on purpose. */
  removed: 'pruned' | 'erased' | null;
  /** It is found by other contacts, numbers or fields than its body names. */
  isMisfiled: boolean;
  /** The contacts by which it is found. */
  filedUnder: readonly string[];
  unrecognized: readonly { path: string; reason: string; excerpt: string }[];
}

const EVERYTHING: ReadonlySet<IncludableChat> = new Set(INCLUDABLE_CHATS);

/** The items of a decoded entry, with those of skipped chats. */
export function readItems(decoded: DecodedEntry<LoggedEntry>, log: RawLog): EntryItems {
  const included = chatsIncluded(decoded, log);
  const { rawBody, ...head } = decoded.entry;
  const reason = decoded.failure?.reason;
  const removed = reason === 'pruned' || reason === 'erased' ? reason : null;
  const items = decoded.sections.flatMap(({ section, connection, pending }) => {
    const { phoneNumberId, displayPhoneNumber, sessionName } = section.connection;
    const hint = {
      phoneNumberId: phoneNumberId ?? null,
      displayPhone: displayPhoneNumber ?? null,
      session: sessionName ?? null,
    };
    const claim = claimOf(decoded, section.connection);
    const chunks = chunksOf(section.facts);
    return section.facts.map((fact): EntryItem => ({
      entry: head,
      fact,
      field: section.field,
      connection,
      pending,
      hint,
      claim,
      chunk: chunkOf(fact, chunks),
      included: fact.kind === 'skipped' ? (included.get(fact.path) ?? null) : null,
      raw: () => itemAt(rawBody, fact.path),
    }));
  });
  return {
    entry: head,
    items,
    failure: removed === null ? (decoded.failure?.message ?? null) : null,
    removed,
    isMisfiled: isMisfiled(decoded.entry, decoded.filing()),
    filedUnder: decoded.entry.chatIds,
    unrecognized: [
      ...(decoded.failure === null ? decoded.refused : []).map((path) => ({
        path,
        reason: WRONG_SIGNATURE,
        excerpt: '',
      })),
      ...decoded.unrecognized,
    ],
  };
}

/** The facts of chats that rule M6 skips, by path. Decodes only entries with skipped chats a second time. */
function chatsIncluded(decoded: DecodedEntry<LoggedEntry>, log: RawLog): Map<string, Fact> {
  const facts = new Map<string, Fact>();
  const hasSkipped = decoded.sections.some(({ section }) =>
    section.facts.some((fact) => fact.kind === 'skipped' && isIncludable(fact.reason)),
  );
  if (!hasSkipped) return facts;
  for (const { section } of log.decodeWith(decoded, EVERYTHING).sections) {
    for (const fact of section.facts)
      if (messageIdOfFact(fact) !== null && !facts.has(fact.path)) facts.set(fact.path, fact);
  }
  return facts;
}

function isIncludable(reason: string): reason is IncludableChat {
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

/** The chunk that contains the item. */
function chunkOf(fact: Fact, chunks: readonly { path: string; chunk: Chunk }[]): Chunk | null {
  return chunks.find(({ path }) => fact.path === path || isBelow(fact.path, path))?.chunk ?? null;
}

function isBelow(path: string, parent: string): boolean {
  return path.startsWith(parent) && (path[parent.length] === '.' || path[parent.length] === '[');
}

/** The names of people in a fact, as the index of the raw log stores them. */
export function namesIn(fact: Fact): string[] {
  return [...new Set(whoIsNamed(fact).flatMap((who) => nodesOf(who).map((node) => node.value)))];
}

/** Whether any field of an item has one of these ids; the id of the answered message does not count. */
export function itemHasId(item: JsonValue | undefined, ids: ReadonlySet<string>, depth = 6): boolean {
  if (typeof item === 'string') return ids.has(item);
  if (typeof item !== 'object' || item === null || depth === 0) return false;
  return Object.entries(item).some(
    ([key, value]) => !/context/i.test(key) && itemHasId(value, ids, depth - 1),
  );
}

/** The bytes to search for; a `/` may be escaped once (`\/`), or twice where JSON is inside a JSON string. */
export function patternsOf(words: readonly string[]): Uint8Array[] {
  const patterns = words.flatMap((word) =>
    word.includes('/') ? [word, word.replaceAll('/', '\\/'), word.replaceAll('/', '\\\\/')] : [word],
  );
  return [...new Set(patterns)].map((pattern) => Buffer.from(pattern, 'utf8'));
}
