import { canonicalPhone } from '../../identity/phone.js';
import type { Provider } from '../../model/enumerations.js';
import type { ConnectionHint } from '../../model/facts.js';
import type { ErasedPeople } from '../../rules/erased-people.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import type { PendingReason } from './batch.js';

/** The connection of a section, or why it is unknown. */
interface ResolvedConnection {
  connection: ConnectionRow | null;
  pending: PendingReason | null;
}

/**
 * The connection that an entry is about (H1). A phone_number_id alone decides; an unknown one is never filed under
 * another connection. Reads only: {@link ConnectionDirectory} also registers connections and learns their ids.
 */
export class ConnectionResolver {
  protected readonly rows: ConnectionRow[];

  constructor(
    rows: readonly ConnectionRow[],
    /** The connection named by `--connection`. */
    protected readonly fixed: ConnectionRow | null = null,
    /** The people whose items are left out of new entries; null if nobody was erased. */
    readonly erased: ErasedPeople | null = null,
  ) {
    this.rows = rows.map((row) => (row.id === fixed?.id ? fixed : row));
  }

  /** Whether the run was given a connection (`--connection`). */
  get isFixed(): boolean {
    return this.fixed !== null;
  }

  /** The connection of `--connection`. */
  get fixedId(): string | null {
    return this.fixed?.id ?? null;
  }

  /** `fallback`: id of the connection given to the storing run for entries that name none. */
  resolve(hint: ConnectionHint, provider: Provider, fallback: string | null = null): ResolvedConnection {
    const { fixed } = this;
    const found = this.lookUp(hint, provider, fallback);
    if (found === null) return { connection: null, pending: 'unknown_connection' };
    if (fixed !== null && found !== fixed) return { connection: null, pending: 'other_connection' };
    return { connection: found, pending: null };
  }

  /** The connection under which a stored Baileys event was filed. */
  byId(id: string): ConnectionRow | null {
    return this.rows.find((row) => row.id === id) ?? null;
  }

  protected lookUp(hint: ConnectionHint, provider: Provider, fallback: string | null): ConnectionRow | null {
    const found = this.find(hint, provider, this.fixed);
    const named = found === null && fallback !== null ? this.byId(fallback) : null;
    return named === null ? found : this.find(hint, provider, named);
  }

  /**
   * A connection entered by number, without a phone_number_id, matches an entry that shows the number: one number is
   * one connection.
   */
  protected claim(hint: ConnectionHint, fixed: ConnectionRow | null): ConnectionRow | null {
    return (
      this.findByNumber(hint, (candidate) => candidate.phoneNumberId === null) ??
      // The user names a connection with neither number nor id known: it is the entry's.
      (fixed !== null && fixed.phoneNumberId === null && fixed.displayPhoneNumber === null ? fixed : null)
    );
  }

  private find(hint: ConnectionHint, provider: Provider, fixed: ConnectionRow | null): ConnectionRow | null {
    if (hint.phoneNumberId !== undefined) {
      const named = this.rows.find((row) => row.phoneNumberId === hint.phoneNumberId);
      return named ?? this.claim(hint, fixed);
    }
    if (provider !== 'meta') {
      if (fixed !== null) return fixed;
      return hint.sessionName === undefined
        ? null
        : (this.rows.find((row) => row.name === hint.sessionName) ?? null);
    }
    if (fixed !== null) return isOfOtherWaba(fixed, hint.wabaId) ? null : fixed;
    // An entry that names a number waits for that number, whatever others its account has.
    return numberOf(hint.displayPhoneNumber) === null ? this.findByWaba(hint) : this.findByNumber(hint);
  }

  /** The connections of a WABA. */
  ofWaba(wabaId: string): ConnectionRow[] {
    return this.rows.filter((row) => isOfWaba(row, wabaId));
  }

  private findByNumber(
    hint: ConnectionHint,
    fits: (row: ConnectionRow) => boolean = () => true,
  ): ConnectionRow | null {
    const number = numberOf(hint.displayPhoneNumber);
    if (number === null) return null;
    const rows = this.rows.filter((row) => fits(row) && numbersOf(row).includes(number));
    return rows.length === 1 ? (rows[0] ?? null) : null;
  }

  private findByWaba(hint: ConnectionHint): ConnectionRow | null {
    if (hint.wabaId === undefined) return null;
    const rows = this.ofWaba(hint.wabaId);
    return rows.length === 1 ? (rows[0] ?? null) : null;
  }
}

/** Whether an entry that names no number names a WABA that is not the connection's. */
export function isOfOtherWaba(fixed: ConnectionRow, named: string | undefined): boolean {
  return named !== undefined && fixed.wabaId !== null && !isOfWaba(fixed, named);
}

/** Whether a person or an entry has linked the connection to this WABA. */
function isOfWaba({ wabaId, wabaIds }: ConnectionRow, named: string): boolean {
  return wabaId === named || wabaIds.includes(named);
}

/** Every known number of the connection, canonical. */
export function numbersOf({
  displayPhoneNumber,
  numbers,
}: Pick<ConnectionRow, 'displayPhoneNumber' | 'numbers'>): string[] {
  const shown = numberOf(displayPhoneNumber);
  return shown === null || numbers.includes(shown) ? [...numbers] : [shown, ...numbers];
}

/** Whether an entry names its connection only by the WABA. */
export function namesOnlyItsWaba(hint: ConnectionHint): hint is ConnectionHint & { wabaId: string } {
  return (
    hint.wabaId !== undefined &&
    hint.phoneNumberId === undefined &&
    numberOf(hint.displayPhoneNumber) === null
  );
}

/** A displayed number, canonical; null if missing or unreadable. */
export function numberOf(displayed: string | null | undefined): string | null {
  return displayed === null || displayed === undefined ? null : (canonicalPhone(displayed) ?? null);
}
