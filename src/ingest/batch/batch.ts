import type { EntryStatus, IncludableChat, Provider } from '../../model/enumerations.js';
import type { Fact, Section, Unrecognized } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import type { Position } from '../../model/raw-entry.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { BAD_SIGNATURE, NO_SCOPE } from '../../store/tables/webhook-log.js';
import { weightOf } from '../../rules/fact-traits.js';
import { isRefused, WRONG_SIGNATURE, type SignatureVerdict } from '../../rules/signatures.js';

/** Why a section was deferred. */
export type PendingReason = 'unknown_connection' | 'other_connection';

/** One section of an entry, with its connection. */
export interface PreparedSection {
  section: Section;
  connection: ConnectionRow | null;
  pending: PendingReason | null;
}

/** What an entry loses with the items of erased people. */
export interface Withdrawn {
  /** Everything that it was found by with them. */
  chatIds: ReadonlySet<string>;
  /** The messages that these items make or change. */
  messages: readonly string[];
  /** Paths of these items, and of those that stay, with where they are in the new body. */
  gone: readonly string[];
  moved: ReadonlyMap<string, string>;
}

/** A decoded raw entry, ready to be applied. */
export interface PreparedEntry {
  /** `file:line` or `log:<id>`. */
  origin: string;
  bytes: Uint8Array;
  sha256: Uint8Array;
  /** Hex of sha256, with the scope: the entry's identity. */
  key: string;
  connectionScope: string;
  /** Set if the entry came from webhook_log. */
  storedId: string | null;
  /** Id of the connection given to the run that stored it (`--connection`). */
  toldConnectionId: string | null;
  provider: Provider;
  receivedAt: number | null;
  fields: readonly string[];
  phoneNumberIds: readonly string[];
  chatIds: readonly string[];
  /** Computed when the entry is stored: which items are skipped depends on the connection's number at that time. */
  counters: () => JsonObject | null;
  /**
   * `damaged`: stored bytes were changed since. `pruned`, `erased`: they were removed on purpose. `bad_signature`: all of it is of
   * unknown origin, so nothing is applied.
   */
  failure: {
    reason: 'invalid_json' | 'no_json' | 'damaged' | 'pruned' | 'erased' | 'bad_signature';
    message: string;
  } | null;
  /** Its bodies with a kept signature, by path, and how many have none. */
  signed: readonly string[];
  unsigned: number;
  /** Verdicts on the signatures; null if not checked. */
  verdicts: ReadonlyMap<string, SignatureVerdict> | null;
  /** The bodies whose signature fitted a secret, now or before. */
  verified: readonly string[];
  /** The bodies with a bad signature: `sections` has nothing from them. */
  refused: readonly string[];
  /** The chats that it holds and that only `--include` brings in. */
  included: readonly IncludableChat[];
  unrecognized: readonly Unrecognized[];
  sections: readonly PreparedSection[];
  /** Decoded with the options of the run that stored it: it keeps naming that run. */
  keepsRun?: true;
  /** Stored under a connection that does not exist: it goes to its own. */
  isStray?: true;
  /** Lacks bodies that are genuine, because this run has another secret: what is stored of the entry stays. */
  isCut?: true;
  /** Its body is without the items of erased people, and is stored so: empty, or written anew. */
  bodyState?: 'erased' | 'redacted';
  /** What that means for what an earlier run has stored of it. */
  withdrawn?: Withdrawn;
  /** Holds one contact's items only: whatever their outcome, the entry stays due for the others. */
  isNarrowed?: true;
}

/** Baileys events and CRM rows do not name their connection, so the same bytes may be stored once per connection. */
export function scopeOf(provider: Provider, sections: readonly PreparedSection[]): string {
  if (provider === 'meta') return NO_SCOPE;
  return sections.find((section) => section.connection !== null)?.connection?.id ?? NO_SCOPE;
}

/** Leaves out the refused bodies of an entry. */
export function refuse(entry: PreparedEntry, refused: readonly string[]): void {
  if (refused.length === 0) return;
  entry.refused = refused;
  entry.sections = entry.sections.filter(({ section }) => !isRefused(section, refused));
  if (entry.sections.length === 0) entry.failure ??= { reason: BAD_SIGNATURE, message: WRONG_SIGNATURE };
}

export function entryKey(connectionScope: string, sha256: Uint8Array): string {
  return `${connectionScope} ${Buffer.from(sha256).toString('hex')}`;
}

/** The inverse of {@link entryKey}. */
export function sha256Of(key: string): Uint8Array {
  return Buffer.from(key.slice(key.indexOf(' ') + 1), 'hex');
}

/** A connection registered by this run may already exist from another run: its entries then belong to that scope. */
export function renewScope(entry: PreparedEntry): void {
  if (entry.storedId !== null || entry.provider === 'meta') return;
  entry.connectionScope = scopeOf(entry.provider, entry.sections);
  entry.key = entryKey(entry.connectionScope, entry.sha256);
}

/** What happened to an entry in the slices that have committed so far. */
interface EntryProgress {
  logId: string | null;
  /** Stored by an earlier slice of this same entry, so the rest of it is not a duplicate. */
  isDuplicate: boolean;
  rejected: number;
}

/** A part of an entry that fits into one batch; most entries are one slice. */
export interface EntrySlice {
  entry: PreparedEntry;
  progress: EntryProgress;
  parts: readonly { section: PreparedSection; facts: readonly Fact[] }[];
  isFirst: boolean;
  isLast: boolean;
  /** Where reading resumes once this slice is in the database; only on the last one. */
  after: Position | null;
}

export interface Batch {
  slices: EntrySlice[];
  /** Items to be written: what the batch size counts. */
  weight: number;
  bytes: number;
}

function newBatch(): Batch {
  return { slices: [], weight: 0, bytes: 0 };
}

/** How an entry ends after its last slice. */
export function entryStatus(
  entry: PreparedEntry,
  rejected: number,
): { status: EntryStatus; error: string | null } {
  if (entry.failure !== null) {
    if (entry.failure.reason === 'bad_signature') return { status: 'failed', error: BAD_SIGNATURE };
    return entry.failure.reason === 'no_json'
      ? { status: 'unrecognized', error: 'no_json' }
      : { status: 'failed', error: entry.failure.message };
  }
  if (entry.isNarrowed === true) return { status: 'pending', error: 'other_contact' };
  const pending = entry.sections.find((section) => section.pending !== null)?.pending;
  if (pending !== undefined && pending !== null) return { status: 'pending', error: pending };
  if (entry.refused.length > 0) return { status: 'partial', error: BAD_SIGNATURE };
  const [strange] = entry.unrecognized;
  if (strange !== undefined) {
    const rest = entry.sections.some((section) => !section.section.eventOnly);
    return { status: rest ? 'partial' : 'unrecognized', error: strange.reason };
  }
  if (rejected > 0) return { status: 'partial', error: `${rejected} rejected` };
  if (entry.sections.every((section) => section.section.eventOnly)) return { status: 'ignored', error: null };
  return { status: 'processed', error: null };
}

/**
 * Cuts an entry into slices of at most `size`; an entry of 5,000 messages is five batches, and its raw body is stored with
 * the first of them.
 */
function sliceEntry(
  entry: PreparedEntry,
  size: number,
  after: Position | null,
): { slice: EntrySlice; weight: number }[] {
  const progress: EntryProgress = { logId: entry.storedId, isDuplicate: false, rejected: 0 };
  const groups: { parts: { section: PreparedSection; facts: Fact[] }[]; weight: number }[] = [
    { parts: [], weight: 0 },
  ];
  for (const section of entry.sections) {
    let part: { section: PreparedSection; facts: Fact[] } = { section, facts: [] };
    groups.at(-1)?.parts.push(part);
    for (const fact of section.section.facts) {
      const weight = section.pending === null ? weightOf(fact) : 0;
      const group = groups.at(-1);
      if (group !== undefined && group.weight + weight > size) {
        part = { section, facts: [fact] };
        groups.push({ parts: [part], weight });
      } else {
        part.facts.push(fact);
        if (group !== undefined) group.weight += weight;
      }
    }
  }
  return groups.map((group, index) => ({
    slice: {
      entry,
      progress,
      parts: group.parts,
      isFirst: index === 0,
      isLast: index === groups.length - 1,
      after: index === groups.length - 1 ? after : null,
    },
    weight: group.weight,
  }));
}

/** A batch holds at most this many raw bytes, whatever its messages: some 3 MB webhooks have one message each. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/** Messages per transaction of a run that was told no number: at first, and once it has the database to itself. */
const FIRST_SIZE = 1000;
const LARGEST_SIZE = 4000;

/**
 * Messages per transaction. What a batch does once, whatever it holds, costs a tenth as much per message in a large one; another
 * writer waits as long as one takes, so they grow only while nobody gets in the way.
 */
export class BatchSize {
  private size: number;

  /** @param given what the user asked for: exactly that. */
  constructor(private readonly given?: number) {
    this.size = given ?? FIRST_SIZE;
  }

  current(): number {
    return this.size;
  }

  /** @param conflicts how often the batch had to be repeated because of another writer. */
  committed(conflicts: number): void {
    if (this.given === undefined)
      this.size = conflicts > 0 ? FIRST_SIZE : Math.min(this.size * 2, LARGEST_SIZE);
  }
}

/** Gathers prepared entries into batches; entries larger than a batch are cut. */
export class Batcher {
  private current = newBatch();

  constructor(private readonly sizeNow: () => number) {}

  /** Adds an entry; returns the batches that are now full, in order. */
  add(entry: PreparedEntry, after: Position | null): Batch[] {
    const full: Batch[] = [];
    const size = this.sizeNow();
    for (const { slice, weight } of sliceEntry(entry, size, after)) {
      // An entry without items still costs a row of the raw log.
      const cost = Math.max(1, weight);
      const bytes = slice.isFirst ? entry.bytes.byteLength : 0;
      const { slices, weight: held, bytes: heldBytes } = this.current;
      if (slices.length > 0 && (held + cost > size || heldBytes + bytes > MAX_BATCH_BYTES))
        full.push(this.take());
      this.current.slices.push(slice);
      this.current.weight += cost;
      this.current.bytes += bytes;
    }
    return full;
  }

  /** The remainder at the end. */
  rest(): Batch | null {
    return this.current.slices.length === 0 ? null : this.take();
  }

  private take(): Batch {
    const batch = this.current;
    this.current = newBatch();
    return batch;
  }
}
