import { canonicalPhone } from '../../identity/phone.js';
import type { ConnectionHint } from '../../model/facts.js';
import type { Provider } from '../../model/enumerations.js';
import { ConcurrentChange } from '../../store/batch-lock.js';
import type { ConnectionRow } from '../../store/connections.js';
import type { Batch, PendingReason } from './batch.js';

export interface DirectoryOptions {
  /** Create connections for phone_number_ids and sessions that nobody knows (H1). */
  register: boolean;
  /** The connection named by `--connection`. */
  fixed: ConnectionRow | null;
  defaultOrganizationId: string;
  newId: () => string;
}

/**
 * Which connection an entry is about (H1). A phone_number_id decides alone; an unknown one is never filed under another
 * connection. Rows are handed out by reference: when another run turns out to have registered the same number first, its
 * row takes the place of ours everywhere at once.
 */
export class ConnectionDirectory {
  private readonly rows: ConnectionRow[];
  private readonly unsavedRows = new Set<ConnectionRow>();
  /** Rows whose phone_number_id this run has learned, until that is stored. */
  private readonly claimed = new Set<ConnectionRow>();
  /** Those of them that the batch now being applied stores. */
  private readonly claiming = new Set<ConnectionRow>();
  /** Ids of connections that this run registered. */
  readonly registered = new Set<string>();

  constructor(
    rows: readonly ConnectionRow[],
    private readonly options: DirectoryOptions,
  ) {
    this.rows = rows.map((row) => (row.id === options.fixed?.id ? options.fixed : row));
  }

  resolve(
    hint: ConnectionHint,
    provider: Provider,
  ): { connection: ConnectionRow | null; pending: PendingReason | null } {
    const found = this.find(hint, provider) ?? this.register(hint, provider);
    if (found === null) return { connection: null, pending: 'unknown_connection' };
    const { fixed } = this.options;
    if (fixed !== null && found !== fixed) return { connection: null, pending: 'other_connection' };
    return { connection: found, pending: null };
  }

  /** The same connections without `--connection` and `--register`. */
  unrestricted(): ConnectionDirectory {
    return new ConnectionDirectory(this.rows, { ...this.options, fixed: null, register: false });
  }

  /** The connection that a stored Baileys event was filed under. */
  byId(id: string): ConnectionRow | null {
    return this.rows.find((row) => row.id === id) ?? null;
  }

  /** Registered connections that the batch needs and the database does not have yet. */
  unsaved(batch: Batch): ConnectionRow[] {
    if (this.unsavedRows.size === 0) return [];
    const needed = new Set<ConnectionRow>();
    for (const slice of batch.slices) {
      for (const { section } of slice.parts) {
        if (section.connection !== null && this.unsavedRows.has(section.connection))
          needed.add(section.connection);
      }
    }
    return [...needed];
  }

  /** Rows whose phone_number_id the batch has to store. The next batch is read meanwhile and may learn more; those wait. */
  claims(): ConnectionRow[] {
    for (const row of this.claimed) this.claiming.add(row);
    return [...this.claiming];
  }

  /** Takes over what the database says after an insert: our rows, or those of a run that was quicker. */
  adopt(stored: readonly ConnectionRow[], fresh: readonly ConnectionRow[]): void {
    for (const row of fresh) {
      const same = stored.find((other) =>
        row.phoneNumberId === null
          ? other.organizationId === row.organizationId && other.name === row.name
          : other.phoneNumberId === row.phoneNumberId,
      );
      if (same === undefined) {
        // The name was taken meanwhile: the phone_number_id is nobody else's.
        row.name = row.phoneNumberId ?? `${row.name} ${row.id.slice(-4)}`;
        throw new ConcurrentChange('connections', 1, 0);
      }
      if (same.id === row.id) this.registered.add(row.id);
      Object.assign(row, same);
    }
  }

  /** The batch's transaction has committed: its connections need no second insert. */
  committed(batch: Batch): void {
    for (const row of this.unsaved(batch)) this.unsavedRows.delete(row);
    for (const row of this.claiming) this.claimed.delete(row);
    this.claiming.clear();
  }

  private find(hint: ConnectionHint, provider: Provider): ConnectionRow | null {
    const { fixed } = this.options;
    if (hint.phoneNumberId !== undefined) {
      const named = this.rows.find((row) => row.phoneNumberId === hint.phoneNumberId);
      return named ?? this.claimByNumber(hint);
    }
    if (provider === 'baileys') {
      if (fixed !== null) return fixed;
      return hint.sessionName === undefined
        ? null
        : (this.rows.find((row) => row.name === hint.sessionName) ?? null);
    }
    return fixed ?? this.findByNumber(hint) ?? this.findByWaba(hint);
  }

  /**
   * A connection that was entered by its number, without a phone_number_id, is the one whose number the entry shows: one
   * number is one connection. It has the id from then on.
   */
  private claimByNumber(hint: ConnectionHint): ConnectionRow | null {
    const row =
      this.findByNumber(hint, (candidate) => candidate.phoneNumberId === null) ?? this.claimableFixed();
    if (row === null) return null;
    row.phoneNumberId = hint.phoneNumberId ?? null;
    row.wabaId ??= hint.wabaId ?? null;
    this.claimed.add(row);
    return row;
  }

  /** The user names a connection of which neither the number nor the id is known: it is the entry's. */
  private claimableFixed(): ConnectionRow | null {
    const { fixed } = this.options;
    return fixed !== null && fixed.phoneNumberId === null && fixed.displayPhoneNumber === null ? fixed : null;
  }

  private findByNumber(
    hint: ConnectionHint,
    fits: (row: ConnectionRow) => boolean = () => true,
  ): ConnectionRow | null {
    const number = numberOf(hint.displayPhoneNumber);
    if (number === null) return null;
    const rows = this.rows.filter((row) => fits(row) && numberOf(row.displayPhoneNumber) === number);
    return rows.length === 1 ? (rows[0] ?? null) : null;
  }

  private findByWaba(hint: ConnectionHint): ConnectionRow | null {
    if (hint.wabaId === undefined) return null;
    const rows = this.rows.filter((row) => row.wabaId === hint.wabaId);
    return rows.length === 1 ? (rows[0] ?? null) : null;
  }

  private register(hint: ConnectionHint, provider: Provider): ConnectionRow | null {
    if (!this.options.register || this.options.fixed !== null) return null;
    const baileys = provider === 'baileys';
    const name = baileys ? hint.sessionName : (numberOf(hint.displayPhoneNumber) ?? hint.phoneNumberId);
    if (name === undefined || (!baileys && hint.phoneNumberId === undefined)) return null;
    const taken = this.rows.some((row) => row.name === name);
    const row: ConnectionRow = {
      id: this.options.newId(),
      organizationId: this.options.defaultOrganizationId,
      name: taken && hint.phoneNumberId !== undefined ? hint.phoneNumberId : name,
      // What only a coexistence number sends raises the kind later; see ConnectionNews.
      kind: baileys ? 'baileys' : 'cloud_api',
      phoneNumberId: hint.phoneNumberId ?? null,
      wabaId: hint.wabaId ?? null,
      displayPhoneNumber: numberOf(hint.displayPhoneNumber),
      lastLiveEventAt: null,
      historySyncStatus: baileys ? 'pending_history' : 'not_supported',
      historySyncStartedAt: null,
      historySyncCompletedAt: null,
      historySyncProgress: null,
      historySyncPhase: null,
      historySyncChunkOrder: null,
      historySyncError: null,
    };
    this.rows.push(row);
    this.unsavedRows.add(row);
    return row;
  }
}

function numberOf(displayed: string | null | undefined): string | null {
  return displayed === null || displayed === undefined ? null : (canonicalPhone(displayed) ?? null);
}
