import type { AsideReason, CrmMessage, CrmRecord } from '../../crm/crm.js';
import { changedAt, contradictoryExport } from '../../crm/copies.js';
import type { CrmSource, ReadPair } from '../../crm/source.js';
import { decodeWamid, isWamid } from '../../identity/wamid.js';
import type { Identities } from '../../model/facts.js';
import type { LeadFinder } from '../../rawlog/lead-finder.js';
import type { Sql } from '../../store/sql.js';
import {
  dropRepeatedRows,
  findContradiction,
  forgetEmptyFields,
} from '../../store/queries/comparison-rows.js';
import {
  NO_CONTACT,
  stageContactLeads,
  stageRows,
  type ContactLeadRow,
} from '../../store/queries/comparison.js';
import type { ConnectionMatch } from './match-connections.js';

/** What was staged from a CRM, and how it names contacts. */
export interface Staged {
  /** Rows of the CRM per connection, asides included. */
  rows: Map<string, number>;
  /** Rows that are not messages, per connection and reason. */
  aside: Map<string, Map<AsideReason, number>>;
  /** Names given to one person by a CRM row that do not all belong to one lead here. */
  news: Map<string, ReadPair[]>;
  /** What the CRM calls a contact, by its number in the staged rows. */
  contactNames: readonly string[];
}

/**
 * Reads the CRM's rows of the matched connections once, page by page, into temporary tables, and finds the leads of its
 * contacts by identity (I1, I3).
 */
export async function stageCrm(
  tx: Sql,
  source: CrmSource,
  matches: readonly ConnectionMatch[],
  leads: LeadFinder,
  { signal, read }: { signal: AbortSignal; read: (rows: number) => void },
): Promise<Staged> {
  const byKey = new Map(matches.map(({ crm, connection }) => [crm.key, connection]));
  const contacts = new Contacts();
  const staged: Staged = { rows: new Map(), aside: new Map(), news: new Map(), contactNames: contacts.names };
  let ordinal = 0;
  for await (const page of source.rows([...byKey.keys()])) {
    if (signal.aborted) break;
    const messages: StagedMessage[] = [];
    for (const { row, record } of page) {
      const connection = byKey.get(row.kind === 'message' ? row.message.connection : row.connection);
      if (connection === undefined) continue;
      staged.rows.set(connection.id, (staged.rows.get(connection.id) ?? 0) + 1);
      if (row.kind === 'aside') addAside(staged, connection.id, row.reason);
      else {
        messages.push({
          message: row.message,
          record,
          connectionId: connection.id,
          organizationId: connection.organizationId,
        });
      }
    }
    const fresh = contacts.unknown(messages);
    await leads.load(
      fresh.map(({ message, organizationId }) => ({ organizationId, identities: message.person })),
    );
    for (const { message, record, connectionId: id, organizationId } of fresh) {
      addNews(staged, leads, { id, organizationId }, { person: message.person, record });
    }
    const found = fresh.flatMap(({ message, connectionId, organizationId }): ContactLeadRow[] => {
      const contact = contacts.numberOf(connectionId, message.contact);
      return leads.find(organizationId, message.person).map((leadId) => ({ contact, leadId }));
    });
    await stageContactLeads(tx, found);
    await stageRows(
      tx,
      messages.map(({ message, record, connectionId }) => ({
        ordinal: ordinal++,
        connectionId,
        rowId: message.rowId,
        externalId: message.externalId,
        stanzaId: stanzaOf(message.externalId),
        contact: contacts.numberOf(connectionId, message.contact),
        direction: message.direction,
        at: message.at,
        storedAt: message.storedAt,
        editedAt: message.editedAt ?? null,
        updatedAt: changedAt(record) ?? message.editedAt ?? null,
        lacks: message.lacks,
        type: message.type,
        kinds: message.kinds,
        body: message.body ?? null,
        comparesBody: message.body !== undefined,
        aside: message.aside,
      })),
    );
    read(ordinal);
  }
  if (source.mayRepeatRows) {
    const contradiction = await findContradiction(tx);
    if (contradiction !== undefined)
      throw contradictoryExport(source.dialect.messages.table, contradiction.rowId);
    for (const { connectionId, repeated } of await dropRepeatedRows(tx)) {
      staged.rows.set(connectionId, (staged.rows.get(connectionId) ?? 0) - repeated);
    }
  }
  if (source.dialect.hasOptionalFields === true) await forgetEmptyFields(tx);
  return staged;
}

interface StagedMessage {
  message: CrmMessage;
  record: CrmRecord;
  connectionId: string;
  organizationId: string;
}

/** Notes a person's names if they are new. */
export function addNews(
  { news }: Pick<Staged, 'news'>,
  leads: LeadFinder,
  { id, organizationId }: { id: string; organizationId: string },
  pair: ReadPair,
): void {
  if (!isNews(leads, organizationId, pair.person)) return;
  const known = news.get(id) ?? [];
  news.set(id, known);
  known.push(pair);
}

/** Whether a person's names, one of which is a lead's, are not all known to be that lead's. */
function isNews(leads: LeadFinder, organizationId: string, person: Identities): boolean {
  const { phone, lid, bsuids = [] } = person;
  const names: Identities[] = [
    ...(phone === undefined ? [] : [{ phone }]),
    ...(lid === undefined ? [] : [{ lid }]),
    ...bsuids.map((bsuid) => ({ bsuids: [bsuid] })),
  ];
  if (names.length < 2) return false;
  const found = names.map((name) => leads.find(organizationId, name));
  const known = new Set(found.flat());
  return known.size > 0 && (known.size > 1 || found.some((ids) => ids.length === 0));
}

/** The key id inside a wamid, or the key id itself. */
function stanzaOf(externalId: string | null): string | null {
  if (externalId === null) return null;
  return isWamid(externalId) ? (decodeWamid(externalId)?.stanzaId ?? null) : externalId;
}

export function addAside(staged: Pick<Staged, 'aside'>, connectionId: string, reason: AsideReason): void {
  const reasons = staged.aside.get(connectionId) ?? new Map<AsideReason, number>();
  staged.aside.set(connectionId, reasons);
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
}

/** Numbers for the CRM's contacts: their names are long, and each has many rows. */
class Contacts {
  readonly names: string[] = [];
  private readonly numbers = new Map<string, number>();

  numberOf(connectionId: string, name: string | null): number {
    if (name === null) return NO_CONTACT;
    const key = `${connectionId} ${name}`;
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    const number = this.names.length;
    this.numbers.set(key, number);
    this.names.push(name);
    return number;
  }

  /**
   * The first row of each contact that has no number yet. Later rows may name the contact differently, by LID alone.
   */
  unknown<T extends { message: CrmMessage; connectionId: string }>(rows: readonly T[]): T[] {
    const fresh = new Map<string, T>();
    for (const row of rows) {
      if (row.message.contact === null) continue;
      const key = `${row.connectionId} ${row.message.contact} ${JSON.stringify(row.message.person)}`;
      if (!this.#seen.has(key) && !fresh.has(key)) fresh.set(key, row);
    }
    for (const key of fresh.keys()) this.#seen.add(key);
    return [...fresh.values()];
  }

  readonly #seen = new Set<string>();
}
