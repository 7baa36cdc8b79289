import type { EntryStatus, Provider } from '../../model/enumerations.js';
import type { RejectReason, SkipReason, Subject } from '../../model/facts.js';
import type {
  AmendmentCounts,
  EntryCounts,
  MessageCounts,
  Problem,
  ReasonCounts,
  RemovedRows,
  RunResult,
  SignatureCounts,
} from '../../model/run-result.js';
import { SIGNATURE_VERDICTS } from '../../rules/signatures.js';

/** The outcome of an amendment. */
type AmendmentOutcome = 'applied' | 'unchanged' | 'pending';

type AmendmentSubject = Exclude<Subject, 'message' | 'contact'>;

/** Limits on listed problems, in total and per reason: ten thousand waiting entries must not hide the one cut line. */
const LISTED_PROBLEMS = 100;
const LISTED_PER_REASON = 20;

/**
 * The counters of a run, or of one batch until its commit. Every item read is counted here exactly once; {@link
 * Tally.imbalance} proves it.
 */
export class Tally {
  readonly entries: EntryCounts = {
    read: 0,
    stored: 0,
    duplicate: 0,
    processed: 0,
    partial: 0,
    failed: 0,
    unrecognized: 0,
    ignored: 0,
    pending: 0,
  };
  readonly messages = newMessageCounts();
  readonly byConnection = new Map<string, MessageCounts>();
  readonly amendments: Record<AmendmentSubject, AmendmentCounts> = {
    status: newAmendmentCounts(),
    edit: newAmendmentCounts(),
    revoke: newAmendmentCounts(),
    reaction: newAmendmentCounts(),
  };
  readonly contacts = { seen: 0, skipped: newReasons(), rejected: newReasons() };
  readonly leads = { created: 0, updated: 0, merged: 0 };
  readonly conversations = { created: 0 };
  readonly tickets = { opened: 0, refreshed: 0 };
  readonly ownNumberRemoved: RemovedRows = { leads: 0, conversations: 0, messages: 0, tickets: 0 };
  readonly events = newReasons();
  readonly problems: Problem[] = [];
  problemCount = 0;
  /** Verdicts on the bodies' signatures, if checked. */
  readonly signatures: SignatureCounts = { valid: 0, bad: 0, uncheckable: 0, sha1: 0, unsigned: 0 };
  private readonly listedByReason = new Map<string, number>();
  chatterLines = 0;
  /** The sources of waiting entries that name no connection. */
  readonly nameless = new Set<Provider>();
  /** Entries that this run left waiting for their connection. */
  private readonly waiting = new WaitingEntries();
  /** Entries counted after they, or copies of them, had waited. */
  private readonly resumed = new Map<string, Resumed>();

  /** An entry waiting for its connection; its counts are corrected if it stops waiting later in the run. */
  wait(logId: string, entry: WaitingEntry): void {
    this.waiting.add(logId, entry);
  }

  resume(logId: string, resumed: Resumed): void {
    this.resumed.set(logId, resumed);
  }

  message(connectionId: string, outcome: 'created' | 'updated' | 'unchanged'): void {
    for (const counts of [this.messages, this.connection(connectionId)]) {
      counts.seen += 1;
      counts[outcome] += 1;
    }
  }

  amendment(subject: AmendmentSubject, outcome: AmendmentOutcome): void {
    const counts = this.amendments[subject];
    counts.seen += 1;
    counts[outcome] += 1;
  }

  contact(): void {
    this.contacts.seen += 1;
  }

  skip(subject: Subject, reason: SkipReason, connectionId: string | null, times = 1): void {
    for (const counts of this.countsOf(subject, connectionId)) {
      counts.seen += times;
      add(counts.skipped, reason, times);
    }
  }

  reject(subject: Subject, reason: RejectReason, connectionId: string | null): void {
    for (const counts of this.countsOf(subject, connectionId)) {
      counts.seen += 1;
      add(counts.rejected, reason, 1);
    }
  }

  /** What was stored about a connection's own number before it was known as such. */
  removeOwnNumber(removed: RemovedRows): void {
    addNumbers(this.ownNumberRemoved, removed);
  }

  event(name: string): void {
    add(this.events, name, 1);
  }

  addSignatures(counts: SignatureCounts): void {
    addNumbers(this.signatures, counts);
  }

  problem(problem: Problem): void {
    this.problemCount += 1;
    this.list(problem);
  }

  /** Corrects the counts of entries that waited. Returns where they were first seen, by stored entry name. */
  private takeBack(resumed: ReadonlyMap<string, Resumed>): Map<string, string> {
    const origins = new Map<string, string>();
    for (const [id, how] of resumed) {
      const { recounted, settled } = this.waiting.take(id, how);
      if (recounted !== null) {
        origins.set(`log:${id}`, recounted.origin);
        this.uncount(recounted);
        this.entries.read -= 1;
        this.entries[recounted.isDuplicate ? 'duplicate' : 'stored'] -= 1;
        for (const verdict of SIGNATURE_VERDICTS) this.signatures[verdict] -= recounted.signatures[verdict];
        // They are reported again, with the entry.
        this.problemCount -= recounted.refused;
        for (let i = 0; i < recounted.refused; i++) this.unlist({ ...recounted, reason: 'bad_signature' });
      }
      for (const copy of settled) {
        this.uncount(copy);
        this.entries[how.ended] += 1;
      }
    }
    return origins;
  }

  private uncount(entry: WaitingEntry): void {
    this.entries.pending -= 1;
    for (const [subject, count] of entry.items) {
      for (const counts of this.countsOf(subject, null)) {
        counts.seen -= count;
        add(counts.skipped, entry.reason, -count);
        if (counts.skipped[entry.reason] === 0) Reflect.deleteProperty(counts.skipped, entry.reason);
      }
    }
    this.problemCount -= 1;
    this.unlist(entry);
  }

  private unlist({ origin, reason }: { origin: string; reason: string }): void {
    const index = this.problems.findIndex((one) => one.origin === origin && one.reason === reason);
    if (index < 0) return;
    this.problems.splice(index, 1);
    this.listedByReason.set(reason, (this.listedByReason.get(reason) ?? 1) - 1);
  }

  private list(problem: Problem): void {
    const listed = this.listedByReason.get(problem.reason) ?? 0;
    if (this.problems.length >= LISTED_PROBLEMS || listed >= LISTED_PER_REASON) return;
    this.listedByReason.set(problem.reason, listed + 1);
    this.problems.push(problem);
  }

  /** Adds another tally, e.g. of a batch that has committed. */
  absorb(other: Tally): void {
    const resumed = this.takeBack(other.resumed);
    addNumbers(this.entries, other.entries);
    addMessageCounts(this.messages, other.messages);
    for (const [id, counts] of other.byConnection) addMessageCounts(this.connection(id), counts);
    for (const subject of ['status', 'edit', 'revoke', 'reaction'] as const) {
      const mine = this.amendments[subject];
      const theirs = other.amendments[subject];
      mine.seen += theirs.seen;
      mine.applied += theirs.applied;
      mine.unchanged += theirs.unchanged;
      mine.pending += theirs.pending;
      addReasons(mine.skipped, theirs.skipped);
      addReasons(mine.rejected, theirs.rejected);
    }
    this.contacts.seen += other.contacts.seen;
    addReasons(this.contacts.skipped, other.contacts.skipped);
    addReasons(this.contacts.rejected, other.contacts.rejected);
    addNumbers(this.leads, other.leads);
    addNumbers(this.conversations, other.conversations);
    addNumbers(this.tickets, other.tickets);
    addNumbers(this.ownNumberRemoved, other.ownNumberRemoved);
    addReasons(this.events, other.events);
    for (const [id, copies] of other.waiting.all()) {
      const origin = resumed.get(`log:${id}`);
      for (const entry of copies) this.wait(id, origin === undefined ? entry : { ...entry, origin });
    }
    for (const problem of other.problems) {
      this.list({ ...problem, origin: resumed.get(problem.origin) ?? problem.origin });
    }
    for (const provider of other.nameless) this.nameless.add(provider);
    addNumbers(this.signatures, other.signatures);
    this.problemCount += other.problemCount;
    this.chatterLines += other.chatterLines;
  }

  /** Everything a person must look at: the run ends partial. */
  hasLoss(): boolean {
    const { failed, unrecognized, pending, partial } = this.entries;
    return failed + unrecognized + pending + partial + this.problemCount > 0;
  }

  /** The violated accounting identities. Null if everything seen is accounted for. */
  imbalance(): string | null {
    const subjects: [string, number, number][] = [
      ['entries', this.entries.read, endedEntries(this.entries)],
      ['stored and duplicate entries', this.entries.read, this.entries.stored + this.entries.duplicate],
      ['messages', this.messages.seen, endedMessages(this.messages)],
      ...[...this.byConnection].map(([id, counts]): [string, number, number] => [
        `messages of connection ${id}`,
        counts.seen,
        endedMessages(counts),
      ]),
      ...Object.entries(this.amendments).map(([subject, counts]): [string, number, number] => [
        `${subject} facts`,
        counts.seen,
        endedAmendments(counts),
      ]),
    ];
    const wrong = subjects.filter(([, seen, ended]) => seen !== ended);
    if (wrong.length === 0) return null;
    return wrong.map(([name, seen, ended]) => `${name}: ${seen} seen, ${ended} accounted for`).join('; ');
  }

  /** The counting part of a run's result. */
  counters(): Pick<
    RunResult,
    | 'entries'
    | 'messages'
    | 'statuses'
    | 'edits'
    | 'revokes'
    | 'reactions'
    | 'contacts'
    | 'leads'
    | 'conversations'
    | 'tickets'
    | 'ownNumberRemoved'
    | 'events'
  > {
    return {
      entries: this.entries,
      messages: this.messages,
      statuses: this.amendments.status,
      edits: this.amendments.edit,
      revokes: this.amendments.revoke,
      reactions: this.amendments.reaction,
      contacts: this.contacts,
      leads: this.leads,
      conversations: this.conversations,
      tickets: this.tickets,
      ownNumberRemoved: this.ownNumberRemoved,
      events: this.events,
    };
  }

  private connection(id: string): MessageCounts {
    let counts = this.byConnection.get(id);
    if (counts === undefined) {
      counts = newMessageCounts();
      this.byConnection.set(id, counts);
    }
    return counts;
  }

  private countsOf(
    subject: Subject,
    connectionId: string | null,
  ): { seen: number; skipped: ReasonCounts; rejected: ReasonCounts }[] {
    switch (subject) {
      case 'message':
        return connectionId === null ? [this.messages] : [this.messages, this.connection(connectionId)];
      case 'contact':
        return [this.contacts];
      case 'status':
      case 'edit':
      case 'revoke':
      case 'reaction':
        return [this.amendments[subject]];
    }
  }
}

export function newMessageCounts(): MessageCounts {
  return { seen: 0, created: 0, updated: 0, unchanged: 0, skipped: newReasons(), rejected: newReasons() };
}

function newAmendmentCounts(): AmendmentCounts {
  return { seen: 0, applied: 0, unchanged: 0, pending: 0, skipped: newReasons(), rejected: newReasons() };
}

/** Event names come from outside: a counter called `__proto__` must be ordinary. */
function newReasons(): ReasonCounts {
  const reasons: ReasonCounts = {};
  return reasons;
}

function endedEntries(counts: EntryCounts): number {
  return (
    counts.processed + counts.partial + counts.failed + counts.unrecognized + counts.ignored + counts.pending
  );
}

function endedMessages(counts: MessageCounts): number {
  return counts.created + counts.updated + counts.unchanged + sum(counts.skipped) + sum(counts.rejected);
}

function endedAmendments(counts: AmendmentCounts): number {
  return counts.applied + counts.unchanged + counts.pending + sum(counts.skipped) + sum(counts.rejected);
}

function sum(reasons: ReasonCounts): number {
  return Object.values(reasons).reduce((total, times) => total + times, 0);
}

function add(reasons: ReasonCounts, reason: string, times: number): void {
  const known = Object.hasOwn(reasons, reason) ? (reasons[reason] ?? 0) : 0;
  Object.defineProperty(reasons, reason, {
    value: known + times,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

function addReasons(mine: ReasonCounts, theirs: ReasonCounts): void {
  for (const [reason, times] of Object.entries(theirs)) add(mine, reason, times);
}

function addMessageCounts(mine: MessageCounts, theirs: MessageCounts): void {
  mine.seen += theirs.seen;
  mine.created += theirs.created;
  mine.updated += theirs.updated;
  mine.unchanged += theirs.unchanged;
  addReasons(mine.skipped, theirs.skipped);
  addReasons(mine.rejected, theirs.rejected);
}

function addNumbers<K extends string>(mine: Record<K, number>, theirs: Record<K, number>): void {
  for (const key in theirs) mine[key] += theirs[key];
}

/** How many waiting entries are remembered individually; a run without `--register` may leave millions. */
const REMEMBERED = 10_000;

/** How one copy of an entry waiting for its connection was counted. */
interface WaitingEntry {
  origin: string;
  isDuplicate: boolean;
  reason: SkipReason;
  /** Items of waiting sections. */
  items: ReadonlyMap<Subject, number>;
  signatures: SignatureCounts;
  /** Bodies with a bad signature, each a problem. */
  refused: number;
}

/** How an entry ended when it, or another copy, was counted later. */
interface Resumed {
  ended: EntryStatus;
  /** The stored entry itself was replayed again, so one copy is counted twice. */
  isRecount: boolean;
}

/**
 * The entries that a run left waiting, by id; a log may hold the same entry several times. Bounded: the rest counts
 * twice.
 */
class WaitingEntries {
  private readonly byId = new Map<string, WaitingEntry[]>();

  add(logId: string, entry: WaitingEntry): void {
    const copies = this.byId.get(logId);
    if (copies !== undefined) copies.push(entry);
    else if (this.byId.size < REMEMBERED) this.byId.set(logId, [entry]);
  }

  all(): Iterable<[logId: string, copies: readonly WaitingEntry[]]> {
    return this.byId;
  }

  /** Removes copies with outdated counts: one that is counted again, and all of an entry that no longer waits. */
  take(
    logId: string,
    { ended, isRecount }: Resumed,
  ): { recounted: WaitingEntry | null; settled: WaitingEntry[] } {
    const copies = this.byId.get(logId) ?? [];
    const recounted = isRecount ? (copies.shift() ?? null) : null;
    const settled = ended === 'pending' ? [] : copies.splice(0);
    if (copies.length === 0) this.byId.delete(logId);
    return { recounted, settled };
  }
}
