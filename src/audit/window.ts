import { isWamid } from '../identity/wamid.js';
import type { MessageFact, RejectedFact } from '../model/facts.js';
import type { Amendment } from '../rules/amendments.js';
import { keyOf } from '../rules/message-book.js';
import type { Sql } from '../store/sql.js';
import type { MessageLookup } from '../store/tables/message-lookup.js';
import { readMessages, type MessageKey, type StoredMessageRow } from '../store/tables/messages.js';
import type { LogItem } from './outcome.js';

/** Items of the raw log that are looked up together. */
export class Window {
  readonly messages: LogItem<MessageFact>[] = [];
  readonly amendments: LogItem<Amendment>[] = [];
  readonly rejected: LogItem<RejectedFact>[] = [];

  get size(): number {
    return this.messages.length + this.amendments.length + this.rejected.length;
  }

  add({ fact, ...from }: LogItem): void {
    switch (fact.kind) {
      case 'message':
        this.messages.push({ fact, ...from });
        break;
      case 'rejected':
        this.rejected.push({ fact, ...from });
        break;
      default:
        this.amendments.push({ fact, ...from });
    }
  }
}

/**
 * Every row that the window's items may match: by id; by stanza id for WhatsApp Web's key ids; and, for wamids not
 * found, by the key id inside them (M10).
 */
export async function readRowsOf(
  sql: Sql,
  window: Window,
  lookup: MessageLookup,
): Promise<StoredMessageRow[]> {
  const byExternalId = new Keys();
  const byStanzaId = new Keys();
  for (const { fact, connection } of window.messages) {
    byExternalId.add(connection.id, fact.externalId);
    if (fact.stanzaId !== undefined && !isWamid(fact.externalId))
      byStanzaId.add(connection.id, fact.stanzaId);
  }
  for (const { fact, connection } of window.amendments) {
    byExternalId.add(connection.id, fact.targetExternalId);
    if (!isWamid(fact.targetExternalId)) byStanzaId.add(connection.id, fact.targetExternalId);
  }
  const rows = await readMessages(sql, byExternalId.all(), byStanzaId.all(), lookup);
  const found = new Set(rows.map((row) => keyOf(row.connectionId, row.externalId)));
  const otherwise = new Keys();
  for (const { fact, connection } of window.messages) {
    const isThere = found.has(keyOf(connection.id, fact.externalId));
    if (!isThere && fact.stanzaId !== undefined && isWamid(fact.externalId))
      otherwise.add(connection.id, fact.stanzaId);
  }
  return [...rows, ...(await readMessages(sql, otherwise.all(), [], lookup))];
}

/** Keys without repetition. */
export class Keys {
  private readonly keys = new Map<string, MessageKey>();

  add(connectionId: string, id: string): void {
    this.keys.set(keyOf(connectionId, id), { connectionId, id });
  }

  all(): MessageKey[] {
    return [...this.keys.values()];
  }
}

/** With more missing messages than this, one may be counted once per entry that holds it. */
const REMEMBERED = 100_000;

/** Keys already seen: webhooks repeat messages, and one lost message is one finding. */
export class SeenKeys {
  private readonly keys = new Set<string>();

  /** True for a key that is seen for the first time. */
  add(key: string): boolean {
    if (this.keys.has(key)) return false;
    if (this.keys.size < REMEMBERED) this.keys.add(key);
    return true;
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }
}
