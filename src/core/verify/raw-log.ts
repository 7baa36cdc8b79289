import type { Fact } from '../../model/facts.js';
import { subjectOf } from '../batch/fact-kinds.js';
import { OwnNumbers, ownNumberReason } from '../batch/own-number.js';
import type { PreparedSection } from '../batch/batch.js';
import { amount } from '../amount.js';
import { Accountant } from './accounting/accountant.js';
import { StoredLog, type ReadAgain } from './accounting/stored-log.js';
import { Window, type Teller } from './accounting/window.js';
import type { Check, VerifyView } from './check.js';
import { Recorder } from './recorder.js';
import type { CheckResult } from './result.js';
import { DEDUPE_COMMAND, explainCommand } from './words.js';

/** Items that one look-up is about. */
const WINDOW = 1_000;

/**
 * The accounting proof: decodes the whole raw log once more and finds every message item of it in the database, exactly once
 * and no worse than it was told, or skipped for a reason, or rejected on record. Memory does not grow with the log.
 */
export const rawLogCheck: Check = {
  name: 'raw_log',
  title: 'every message of the raw log is in the database once, or on record as skipped or rejected',
  run: async (view) => new RawLogCheck(view, await StoredLog.open(view)).run(),
};

/** Why entries are not done, from the least to the most urgent to mend. */
interface OpenEntries {
  /** Cannot be read by this version; no command mends it. */
  unreadable: number;
  /** With parts that no decoder knows. */
  unrecognized: number;
  pending: number;
  unknownConnection: number;
  /** Failed once, and readable now. */
  failed: number;
}

class RawLogCheck {
  private readonly recorder: Recorder;
  private readonly accountant: Accountant;
  private readonly ownNumbers = new OwnNumbers();
  private readonly scope: ReadonlySet<string>;
  private readonly open: OpenEntries = {
    unreadable: 0,
    unrecognized: 0,
    pending: 0,
    unknownConnection: 0,
    failed: 0,
  };
  private entries = 0;
  private window = new Window();
  private settling: Promise<void> = Promise.resolve();

  constructor(
    private readonly view: VerifyView,
    private readonly log: StoredLog,
  ) {
    this.recorder = new Recorder(view, 'raw_log');
    this.accountant = new Accountant(view, this.recorder, log);
    this.scope = new Set(view.connections.map(({ id }) => id));
  }

  async run(): Promise<CheckResult> {
    for await (const read of this.log.entries()) {
      this.entries += 1;
      await this.tellEntry(read);
      for (const section of read.sections) await this.addSection(read, section);
    }
    await this.flush();
    await this.settling;
    return this.result();
  }

  /** While the database looks up one window, the next one is decoded. */
  private async flush(): Promise<void> {
    await this.settling;
    const { window } = this;
    this.window = new Window();
    this.settling = this.accountant.settle(window);
    // Whoever awaits it later gets the error; until then it is not unhandled.
    this.settling.catch(() => undefined);
  }

  private async addSection(
    read: ReadAgain,
    { section, connection, pending }: PreparedSection,
  ): Promise<void> {
    const { accounts } = this.accountant;
    const isMine = connection === null ? !this.view.restricted : this.scope.has(connection.id);
    if (!isMine) return;
    const teller = tellerOf(read);
    for (const fact of section.facts) {
      const isMessage = subjectOf(fact) === 'message';
      if (isMessage) this.recorder.checked += 1;
      if (pending !== null) {
        if (isMessage) accounts.waiting += 1;
        continue;
      }
      const skipped =
        fact.kind === 'skipped'
          ? fact.reason
          : connection === null
            ? 'unknown_connection'
            : ownNumberReason(this.ownNumbers, fact, connection)?.reason;
      if (connection === null || skipped !== undefined) {
        if (!isMessage) continue;
        accounts.skipped += 1;
        await this.recorder.good({
          connectionId: connection?.id ?? null,
          subject: fact.path,
          detail: `${teller.origin}: skipped, ${skipped ?? ''}`,
        });
        continue;
      }
      this.addFact(fact, { connection, teller });
      if (this.window.size >= WINDOW) await this.flush();
    }
  }

  private addFact(fact: Fact, from: Omit<Window['messages'][number], 'fact'>): void {
    switch (fact.kind) {
      case 'message':
        this.window.messages.push({ fact, ...from });
        break;
      case 'status':
      case 'edit':
      case 'revoke':
      case 'reaction':
        this.window.amendments.push({ fact, ...from });
        break;
      case 'rejected':
        this.window.rejected.push({ fact, ...from });
        break;
      case 'skipped':
      case 'address_book':
      case 'profile':
      case 'identity_link':
      case 'history_chunk':
      case 'history_state':
      case 'event':
        break;
    }
  }

  /** Entries of which not everything can be told: they are told as what they are. */
  private async tellEntry(read: ReadAgain): Promise<void> {
    const { entry, unreadable, unrecognized, sections } = read;
    const { origin } = tellerOf(read);
    const of = amount(countMessages(sections), 'message item');
    const mine = sections.find(({ connection }) => connection !== null && this.scope.has(connection.id));
    const told = { connectionId: mine?.connection?.id ?? null, subject: `log:${entry.id}` };
    if (unreadable !== null) {
      // On record, and no command mends it: worth knowing every time, nothing to wake somebody for.
      if (entry.status !== 'pending') {
        this.open.unreadable += 1;
        await this.recorder.note('!', { ...told, detail: `${origin}: ${unreadable}` });
        return;
      }
    } else {
      for (const { path, reason } of unrecognized) {
        this.open.unrecognized += 1;
        await this.recorder.note('!', { ...told, detail: `${origin}: ${path}: ${reason}` });
      }
    }
    if (this.view.restricted && mine === undefined) return;
    const stranger = sections.find(({ pending }) => pending === 'unknown_connection');
    if (stranger !== undefined && !this.view.restricted) {
      this.open.unknownConnection += 1;
      const { phoneNumberId, sessionName } = stranger.section.connection;
      const name = phoneNumberId ?? (sessionName === undefined ? 'none is named' : `session ${sessionName}`);
      await this.recorder.finding('!', {
        ...told,
        detail: `${origin}: unknown connection (${name}), ${of}`,
      });
      return;
    }
    if (entry.status === 'failed') {
      this.open.failed += 1;
      await this.recorder.finding('!', { ...told, detail: `${origin}: failed, and readable now, ${of}` });
    } else if (entry.status === 'pending' && (stranger === undefined || this.view.restricted)) {
      this.open.pending += 1;
      await this.recorder.finding('!', {
        ...told,
        detail: `${origin}: pending (${entry.error ?? 'never replayed'}), ${of}`,
      });
    }
  }

  private result(): CheckResult {
    const { accounts, unsettled, turned } = this.accountant;
    const { open } = this;
    const sums = listed([
      [accounts.there, 'in the database'],
      [accounts.skipped, 'skipped'],
      [accounts.rejected, 'rejected'],
      [accounts.missing, 'missing'],
      [accounts.different, 'different'],
      [accounts.waiting, 'waiting'],
    ]);
    const rest = listed([
      [turned, 'direction that only people can set right', 'directions that only people can set right'],
      [unsettled, 'other item is unaccounted for', 'other items are unaccounted for'],
      [open.pending, 'pending entry', 'pending entries'],
      [open.unknownConnection, 'entry of an unknown connection', 'entries of unknown connections'],
      [open.failed, 'failed entry can be read now', 'failed entries can be read now'],
      [open.unreadable, 'unreadable entry', 'unreadable entries'],
      [open.unrecognized, 'unrecognized part', 'unrecognized parts'],
    ]);
    const counted = `${amount(this.recorder.checked, 'message item')} in ${amount(this.entries, 'entry', 'entries')}`;
    const summary = sums.length === 0 ? counted : `${counted}: ${sums.join(', ')}`;
    const result = this.recorder.result([summary, ...rest].join('; '), this.remedy());
    return { ...result, missing: this.accountant.missingMessages, unaccounted: this.unaccounted };
  }

  private get unaccounted(): number {
    const { accounts, unsettled } = this.accountant;
    return accounts.missing + accounts.different + unsettled;
  }

  private remedy(): string | null {
    const { open } = this;
    const { twice, turned, turnedExample } = this.accountant;
    if (this.unaccounted - twice - turned > 0) return 'wa-reconcile replay --all';
    // A replay finds the one row and leaves the other.
    if (twice > 0) return DEDUPE_COMMAND;
    if (open.failed > 0) return 'wa-reconcile replay --failed';
    if (open.pending > 0) return 'wa-reconcile replay';
    if (open.unknownConnection > 0) return 'wa-reconcile replay --register';
    if (turned > 0) return explainCommand(turnedExample);
    return null;
  }
}

function listed(counts: readonly (readonly [count: number, one: string, many?: string])[]): string[] {
  return counts.flatMap(([count, one, many = one]) => (count === 0 ? [] : [amount(count, one, many)]));
}

function tellerOf({ entry }: ReadAgain): Teller {
  return {
    id: entry.id,
    origin: entry.origin ?? `log:${entry.id}`,
    isOpen: entry.status === 'pending' || entry.status === 'failed',
  };
}

function countMessages(sections: readonly PreparedSection[]): number {
  let count = 0;
  for (const { section } of sections)
    for (const fact of section.facts) if (subjectOf(fact) === 'message') count += 1;
  return count;
}
