import type { Provider } from '../../model/enumerations.js';
import type { ConnectionHint } from '../../model/facts.js';
import type { ErasedPeople } from '../../rules/erased-people.js';
import { ConcurrentChange } from '../../store/transactions.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import type { Batch } from './batch.js';
import { ConnectionResolver, numberOf, numbersOf } from './connection-resolver.js';

interface DirectoryOptions {
  /** Create connections for unknown phone_number_ids and sessions (H1). */
  register: boolean;
  /** The connection named by `--connection`. */
  fixed: ConnectionRow | null;
  defaultOrganizationId: string;
  newId: () => string;
  /** The people who were erased; null or absent if nobody was. */
  erased?: ErasedPeople | null;
}

/** What entries revealed about a connection: its phone_number_id, its WABA, its number. */
export interface Lesson {
  row: ConnectionRow;
  /** Its numbers that became known in this run. */
  numbers: Set<string>;
  /** So did its WABA. */
  waba: boolean;
  /** Batches that have to store it. */
  batchesLeft: number;
}

/**
 * The connections of a run that applies entries: it also registers connections and learns ids from entries. Rows are
 * handed out by reference: if another run registered the same number first, its row replaces ours everywhere at once.
 */
export class ConnectionDirectory extends ConnectionResolver {
  private readonly unsavedRows = new Set<ConnectionRow>();
  private readonly lessons = new Map<ConnectionRow, Lesson>();
  /** Those stored by the batch now being applied. */
  private readonly storing = new Set<Lesson>();
  /** Connections with nothing stored about their own number, as far as this run knows (I4). */
  private readonly withoutOwnNumber = new Set<string>();
  /** Earlier statements of entries about a connection: most repeat. */
  private readonly heard = new Map<ConnectionRow, Set<string>>();
  /** Ids of connections that this run registered. */
  readonly registered = new Set<string>();

  constructor(
    rows: readonly ConnectionRow[],
    private readonly options: DirectoryOptions,
  ) {
    super(rows, options.fixed, options.erased ?? null);
    for (const row of this.rows) this.complete(row);
  }

  /** The same connections without `--connection` and `--register`. */
  unrestricted(): ConnectionDirectory {
    return new ConnectionDirectory(this.rows, { ...this.options, fixed: null, register: false });
  }

  /** Registered connections that the batch needs and the database lacks. */
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

  /** What the batch must store about connections. Facts learned meanwhile from the next batch wait. */
  learned(): readonly Lesson[] {
    for (const lesson of this.lessons.values()) this.storing.add(lesson);
    return [...this.storing];
  }

  /** Whether rows about the connection's own number may still be stored, from before it was known. */
  mayHoldOwnNumber({ id }: ConnectionRow): boolean {
    return !this.withoutOwnNumber.has(id);
  }

  /** Adopts the database's rows after an insert: ours, or those of a faster run. */
  adopt(stored: readonly ConnectionRow[], fresh: readonly ConnectionRow[]): void {
    for (const row of fresh) {
      const same = stored.find((other) =>
        row.phoneNumberId === null
          ? other.organizationId === row.organizationId && other.name === row.name
          : other.phoneNumberId === row.phoneNumberId,
      );
      if (same === undefined) {
        // Another run took the name: the phone_number_id is unique.
        row.name = row.phoneNumberId ?? `${row.name} ${row.id.slice(-4)}`;
        throw new ConcurrentChange('connections', 1, 0);
      }
      if (same.id === row.id) this.registered.add(row.id);
      const { wabaId, displayPhoneNumber, wabaIds, numbers } = row;
      Object.assign(row, same, {
        wabaIds: [...new Set([...same.wabaIds, ...wabaIds])].sort(),
        numbers: [...new Set([...same.numbers, ...numbers])].sort(),
      });
      row.wabaId ??= wabaId;
      row.displayPhoneNumber ??= displayPhoneNumber;
    }
  }

  /**
   * The batch has committed: its connections need no second insert. What it learned is stored again with the next
   * batch: that one was prepared meanwhile, and may hold entries from before, which are due again.
   */
  committed(batch: Batch, withoutOwnNumber: Iterable<ConnectionRow> = []): void {
    for (const row of this.unsaved(batch)) this.unsavedRows.delete(row);
    for (const lesson of this.storing) {
      // The batch that stores the connection itself is still to come, and so is everything a new fact can settle.
      if (this.unsavedRows.has(lesson.row)) continue;
      lesson.batchesLeft -= 1;
      if (lesson.batchesLeft === 0) this.lessons.delete(lesson.row);
    }
    this.storing.clear();
    for (const { id } of withoutOwnNumber) this.withoutOwnNumber.add(id);
  }

  /** The connection has the id from then on. */
  protected override claim(hint: ConnectionHint, fixed: ConnectionRow | null): ConnectionRow | null {
    const row = super.claim(hint, fixed);
    if (row === null) return null;
    row.phoneNumberId = hint.phoneNumberId ?? null;
    this.note(row);
    return row;
  }

  protected override lookUp(
    hint: ConnectionHint,
    provider: Provider,
    fallback: string | null,
  ): ConnectionRow | null {
    const row = super.lookUp(hint, provider, fallback) ?? this.register(hint, provider);
    if (row !== null) this.learn(row, hint);
    return row;
  }

  /**
   * Any entry that names a connection fills in its WABAs and numbers, all of them, so that entry order does not matter.
   * Only an entry that names the connection by its phone_number_id or one of its numbers counts.
   */
  private learn(row: ConnectionRow, hint: ConnectionHint): void {
    const said = `${hint.phoneNumberId ?? ''} ${hint.wabaId ?? ''} ${hint.displayPhoneNumber ?? ''}`;
    const heard = this.heard.get(row) ?? new Set();
    this.heard.set(row, heard);
    if (heard.has(said)) return;
    heard.add(said);
    const named = numberOf(hint.displayPhoneNumber);
    const isById = hint.phoneNumberId !== undefined && hint.phoneNumberId === row.phoneNumberId;
    if (!isById && (named === null || !numbersOf(row).includes(named))) return;
    if (hint.wabaId !== undefined && isOpenTo(row.wabaId, row.wabaIds, hint.wabaId)) {
      row.wabaIds = [...row.wabaIds, hint.wabaId].sort();
      row.wabaId = row.wabaIds.at(-1) ?? null;
      this.note(row).waba = true;
    }
    if (named !== null && isOpenTo(row.displayPhoneNumber, row.numbers, named)) {
      const shown = row.displayPhoneNumber;
      row.numbers = [...row.numbers, named].sort();
      const number = row.numbers.at(-1) ?? named;
      row.displayPhoneNumber = number;
      this.note(row).numbers.add(named);
      this.withoutOwnNumber.delete(row.id);
      // Registered by its id for lack of a number, or by a number no longer shown; named as it would have been.
      const isCalledSo = shown === null ? row.name === row.phoneNumberId : row.name === shown;
      if (isCalledSo && this.rows.every(({ name }) => name !== number)) row.name = number;
    }
  }

  /** Entries have named its number or its WABA, and another program has taken the shown one away. */
  private complete(row: ConnectionRow): void {
    const [wabaId = null, number = null] = [row.wabaIds.at(-1), row.numbers.at(-1)];
    if (
      (row.wabaId ?? wabaId) === row.wabaId &&
      (row.displayPhoneNumber ?? number) === row.displayPhoneNumber
    )
      return;
    row.wabaId ??= wabaId;
    row.displayPhoneNumber ??= number;
    this.note(row);
  }

  private note(row: ConnectionRow): Lesson {
    const lesson = this.lessons.get(row) ?? { row, numbers: new Set<string>(), waba: false, batchesLeft: 0 };
    lesson.batchesLeft = 2;
    this.lessons.set(row, lesson);
    return lesson;
  }

  private register(hint: ConnectionHint, provider: Provider): ConnectionRow | null {
    if (!this.options.register || this.options.fixed !== null) return null;
    const baileys = provider === 'baileys';
    const name = baileys ? hint.sessionName : (numberOf(hint.displayPhoneNumber) ?? hint.phoneNumberId);
    if (name === undefined || (!baileys && hint.phoneNumberId === undefined)) return null;
    // It may be the id of a connection that was entered by number; an entry that shows both will reveal it.
    if (!baileys && numberOf(hint.displayPhoneNumber) === null && this.hasNumberWithoutId()) return null;
    const taken = this.rows.some((row) => row.name === name);
    const row: ConnectionRow = {
      id: this.options.newId(),
      organizationId: this.options.defaultOrganizationId,
      name: taken && hint.phoneNumberId !== undefined ? hint.phoneNumberId : name,
      // Data that only a coexistence number sends raises the kind later; see ConnectionNews.
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
      wabaIds: hint.wabaId === undefined ? [] : [hint.wabaId],
      numbers: [numberOf(hint.displayPhoneNumber)].filter((number) => number !== null),
    };
    this.rows.push(row);
    this.unsavedRows.add(row);
    this.note(row).waba = row.wabaId !== null;
    return row;
  }

  private hasNumberWithoutId(): boolean {
    return this.rows.some((row) => row.phoneNumberId === null && row.displayPhoneNumber !== null);
  }
}

/** Whether a connection learns a name from an entry: a new one, unless a person entered one. */
function isOpenTo(shown: string | null, known: readonly string[], said: string): boolean {
  return (shown === null || known.includes(shown)) && !known.includes(said);
}
