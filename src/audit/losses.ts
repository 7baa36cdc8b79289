import { createHash } from 'node:crypto';
import type { AuditResult } from './audit-book.js';
import type { AuditedItem } from './outcome.js';

const SAMPLES = 3;
/** Of more contacts only the first ones found are known: memory must not grow with a log that is lost as a whole. */
const MOST_CONTACTS = 1000;

/** What an audit found of one kind: each message once, whatever number of entries hold it. */
export interface Loss {
  count: number;
  /** The first few of what it is about. */
  samples: string[];
  /** Stands for all of them, in whatever order they were found. */
  digest: number;
  /** The time of the oldest of them, ms since 1970; null if none has one. */
  since: number | null;
}

/**
 * What is lost, by kind. `unapplied`: statuses, edits and the like that are not in their message. `unfounded`: rows whose
 * entry does not hold them.
 */
export const LOSS_KINDS = [
  'missing',
  'different',
  'unapplied',
  'doubled',
  'unfounded',
  'damaged',
  'unreplayed',
  'orphaned',
  'misfiled',
  'unrecorded_chunk',
  'lacking_name',
] as const;
type LossKind = (typeof LOSS_KINDS)[number];

export type Losses = Record<LossKind, Loss>;

/** How much is lost of one contact. */
export interface ContactLoss {
  /** `''` for none. */
  connectionId: string;
  /** A phone, else a LID or a BSUID. */
  contact: string;
  lost: number;
  /** The time of the oldest of them, ms since 1970; null if none has one. */
  since: number | null;
}

/** An audit with what it found, by connection. */
export interface LogAudit {
  result: AuditResult;
  /** By connection id; `''` for what belongs to none. */
  losses: ReadonlyMap<string, Losses>;
  /** The contacts with lost messages, as far as known, at most a thousand. */
  contacts: readonly ContactLoss[];
}

/** Adds up the findings of an audit as it tells them. */
export class LossTally {
  private readonly byConnection = new Map<string, Losses>();
  private readonly byContact = new Map<string, ContactLoss>();

  add(item: AuditedItem): void {
    const kind = lossKindOf(item);
    if (kind === null) return;
    const connection = item.connectionId ?? '';
    const losses = this.byConnection.get(connection) ?? noLosses();
    this.byConnection.set(connection, losses);
    this.addContact(connection, item);
    const loss = losses[kind];
    loss.count += 1;
    loss.since = older(loss.since, item.at);
    if (loss.samples.length < SAMPLES) loss.samples.push(item.subject);
    const { subject, state = '' } = item;
    const sha1 = createHash('sha1').update(subject + state);
    loss.digest = (loss.digest + sha1.digest().readUInt32BE(0)) % 2 ** 32;
  }

  /** The findings with the result of the audit. */
  end(result: AuditResult): LogAudit {
    return { result, losses: this.byConnection, contacts: [...this.byContact.values()] };
  }

  private addContact(connectionId: string, { contact, at }: AuditedItem): void {
    if (contact === undefined) return;
    const key = `${connectionId} ${contact}`;
    const known = this.byContact.get(key);
    if (known !== undefined) {
      known.lost += 1;
      known.since = older(known.since, at);
    } else if (this.byContact.size < MOST_CONTACTS)
      this.byContact.set(key, { connectionId, contact, lost: 1, since: at ?? null });
  }
}

/** The older of two times; null if neither is known. */
export function older(known: number | null, at: number | null | undefined): number | null {
  return at === null || at === undefined ? known : Math.min(at, known ?? at);
}

export function noLosses(): Losses {
  const none = (): Loss => ({ count: 0, samples: [], digest: 0, since: null });
  return {
    missing: none(),
    different: none(),
    unapplied: none(),
    doubled: none(),
    unfounded: none(),
    damaged: none(),
    unreplayed: none(),
    orphaned: none(),
    misfiled: none(),
    unrecorded_chunk: none(),
    lacking_name: none(),
  };
}

function lossKindOf({ outcome, isMessage }: AuditedItem): LossKind | null {
  switch (outcome) {
    case 'missing':
    case 'different':
    case 'doubled':
    case 'unapplied':
    case 'unfounded':
    case 'unrecorded_chunk':
    case 'lacking_name':
      return outcome;
    case 'unrecorded':
      return isMessage ? 'missing' : 'unapplied';
    case 'entry_damaged':
      return 'damaged';
    case 'entry_failed':
      return 'unreplayed';
    case 'entry_orphaned':
      return 'orphaned';
    case 'entry_misfiled':
      return 'misfiled';
    // The state of these entries is counted without an audit.
    case 'entry_unreadable':
    case 'entry_unrecognized':
    case 'entry_pending':
    case 'entry_unknown_connection':
    case 'there':
    case 'skipped':
    case 'rejected':
      return null;
  }
}

/** Of the kinds that a replay, or a person, still has to do something about, these are no loss: nothing is gone. */
const DEGRADED: ReadonlySet<LossKind> = new Set([
  'unreplayed',
  'orphaned',
  'misfiled',
  'unrecorded_chunk',
  'lacking_name',
]);

/** How many of these findings have the severity `loss`. */
export function countLost(losses: LogAudit['losses']): number {
  const total = totalLosses(losses);
  return LOSS_KINDS.reduce((sum, kind) => (DEGRADED.has(kind) ? sum : sum + total[kind].count), 0);
}

/** What was found of all connections together. */
export function totalLosses(losses: LogAudit['losses']): Losses {
  const sum = noLosses();
  for (const part of losses.values()) {
    for (const kind of LOSS_KINDS) {
      sum[kind].count += part[kind].count;
      sum[kind].digest = (sum[kind].digest + part[kind].digest) % 2 ** 32;
      sum[kind].samples.push(...part[kind].samples);
      sum[kind].since = older(sum[kind].since, part[kind].since);
    }
  }
  return sum;
}
