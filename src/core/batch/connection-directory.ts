import type { ConnectionHint } from '../../model/facts.js';
import type { Provider } from '../../model/enumerations.js';
import { ConcurrentChange } from '../../store/batch-lock.js';
import type { ConnectionRow } from '../../store/connections.js';
import type { Batch } from './batch.js';
import { ConnectionResolver, numberOf } from './connection-resolver.js';

export interface DirectoryOptions {
  /** Create connections for phone_number_ids and sessions that nobody knows (H1). */
  register: boolean;
  /** The connection named by `--connection`. */
  fixed: ConnectionRow | null;
  defaultOrganizationId: string;
  newId: () => string;
}

/**
 * The connections of a run that applies entries: it also registers connections and learns ids that entries name. Rows are
 * handed out by reference: when another run turns out to have registered the same number first, its row takes the place of
 * ours everywhere at once.
 */
export class ConnectionDirectory extends ConnectionResolver {
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
    super(rows, options.fixed);
  }

  /** The same connections without `--connection` and `--register`. */
  unrestricted(): ConnectionDirectory {
    return new ConnectionDirectory(this.rows, { ...this.options, fixed: null, register: false });
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

  /** The connection has the id from then on. */
  protected override claim(hint: ConnectionHint, fixed: ConnectionRow | null): ConnectionRow | null {
    const row = super.claim(hint, fixed);
    if (row === null) return null;
    row.phoneNumberId = hint.phoneNumberId ?? null;
    row.wabaId ??= hint.wabaId ?? null;
    this.claimed.add(row);
    return row;
  }

  protected override lookUp(
    hint: ConnectionHint,
    provider: Provider,
    told: string | null,
  ): ConnectionRow | null {
    return super.lookUp(hint, provider, told) ?? this.register(hint, provider);
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
