import { auditLog } from '../../audit/audit-log.js';
import { isUndecided, verdictsOf } from '../../rawlog/claim-verdict.js';
import { RawLog, type DecodedEntry } from '../../rawlog/raw-log.js';
import type { Claim } from '../../store/checks/messages.js';
import type { Sql } from '../../store/sql.js';
import { readConnections } from '../../store/tables/connections.js';
import type { StoredMessageRow } from '../../store/tables/messages.js';
import { readOutside, type PruneSelection } from '../../store/tables/prunable.js';
import { findEntriesConcerning, readDoubledMessages } from '../../store/tables/prunable-messages.js';

/** So many messages that name other entries are kept in mind before these entries are read. */
const READ_TOGETHER = 20_000;

/** Correct messages that name an entry, each with the entry that says so. */
type Named = { row: Omit<Claim, 'batchId'>; entryId: string }[];

/**
 * What retention leaves alone. Any difference between the log and the database may need more than the entry that shows it: the others that
 * hold the message, under whatever name, and what is told of the people it is about (a rest of their entries decides nothing, V7). So all
 * entries stay that name a person of a finding: whom the entry names, and whose message it is in the database.
 */
export class Doubts {
  private readonly entries = new Set<string>();
  private readonly messages = new Set<string>();

  constructor(
    private readonly selection: PruneSelection,
    private readonly signal: AbortSignal,
  ) {}

  /** Compares the items of these entries with the database (V1), and the rows that name them. In a snapshot. */
  async compare(sql: Sql, ids: readonly string[]): Promise<void> {
    const compared = new Set(ids);
    const others = new OtherEntries(sql, this.selection, ({ row, entryId }) => {
      this.entries.add(entryId);
      this.messages.add(row.id);
    });
    await auditLog({
      sql,
      connections: await readConnections(sql),
      restricted: false,
      since: null,
      touchedSince: null,
      ids,
      signal: this.signal,
      affected: (id) => this.entries.add(id),
      concerned: (id) => this.messages.add(id),
      item: ({ entryId, outcome, subject }) => {
        if (entryId !== undefined) this.entries.add(entryId);
        if (outcome.startsWith('entry_')) this.entries.add(subject.replace(/^log:/, ''));
      },
      namedOtherwise: async (row, entryId) => {
        if (row.batchId !== null && !compared.has(row.batchId)) await others.add(row, row.batchId, entryId);
      },
    });
    if (!this.signal.aborted) await others.read();
  }

  /** All entries that keep their bodies. In a snapshot, after everything was compared. */
  async settle(sql: Sql): Promise<Set<string>> {
    const messageIds = [...this.messages, ...(await readDoubledMessages(sql))];
    const concerned = await findEntriesConcerning(sql, { entryIds: [...this.entries], messageIds });
    return new Set([...this.entries, ...concerned]);
  }
}

/** The entries that correct messages name instead of those that were found to hold them: each has to hold its own, too. */
class OtherEntries {
  private readonly named = new Map<string, Named>();
  private count = 0;
  private log: RawLog | null = null;

  constructor(
    private readonly sql: Sql,
    private readonly selection: PruneSelection,
    private readonly doubt: (one: Named[number]) => void,
  ) {}

  async add(row: StoredMessageRow, namedId: string, entryId: string): Promise<void> {
    const { id, connectionId, externalId, stanzaId, direction, timestamp } = row;
    const claim = { id, connectionId, externalId, stanzaId, direction, timestamp };
    const others = this.named.get(namedId);
    if (others === undefined) this.named.set(namedId, [{ row: claim, entryId }]);
    else others.push({ row: claim, entryId });
    this.count += 1;
    if (this.count >= READ_TOGETHER) await this.read();
  }

  /** Reads those that retention is not about: the rows of the others are compared with them anyway. */
  async read(): Promise<void> {
    const named = new Map(this.named);
    this.named.clear();
    this.count = 0;
    if (named.size === 0) return;
    const open = new Set(await readOutside(this.sql, this.selection, [...named.keys()]));
    this.log ??= await RawLog.open(this.sql);
    for await (const decoded of this.log.entries({ statuses: [], ids: [...open] })) {
      const { id } = decoded.entry;
      open.delete(id);
      const holds = holderIn(decoded, this.log);
      for (const one of named.get(id) ?? []) if (!holds(one.row)) this.doubt(one);
    }
    // Of entries that are gone nothing is known.
    for (const id of open) for (const one of named.get(id) ?? []) this.doubt(one);
  }
}

/** Tells of rows that name an entry whether it holds them, as far as anybody can know. */
function holderIn(decoded: DecodedEntry, log: RawLog): (row: Omit<Claim, 'batchId'>) => boolean {
  const { failure } = decoded;
  if (failure !== null) return () => failure.reason === 'pruned' || failure.reason === 'erased';
  if (isUndecided(decoded)) return () => false;
  const verdictOn = verdictsOf(decoded, log);
  return (row) => verdictOn(row).holds;
}
