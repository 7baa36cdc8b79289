import type { OpenedInput } from '../../inputs/file-source.js';
import type { ConnectionHint, DecodedEntry, Fact, Section } from '../../model/facts.js';
import { shownExcerpt } from './shown-excerpt.js';
import type {
  Form,
  InspectedConnection,
  InspectedFile,
  ItemCounts,
  NotUnderstood,
  TimeRange,
} from './types.js';

const MOST_SAMPLES = 3;
/** A hostile sender's file must not fill the memory with names that occur once. */
const MOST_NAMES = 1_000;

/** The earliest and the latest of some times. */
class Range {
  #first = Infinity;
  #last = -Infinity;

  add(at: number | undefined): void {
    if (at === undefined) return;
    this.#first = Math.min(this.#first, at);
    this.#last = Math.max(this.#last, at);
  }

  get(): TimeRange | null {
    if (this.#first > this.#last) return null;
    return { first: new Date(this.#first).toISOString(), last: new Date(this.#last).toISOString() };
  }
}

interface ConnectionTally {
  hint: ConnectionHint;
  provider: InspectedConnection['provider'];
  entries: number;
  messages: number;
  statuses: number;
  items: Range;
}

/** Counts the findings; in constant memory, whatever the size of the log. */
export class Findings {
  readonly counts: ItemCounts = {
    messages: 0,
    history: 0,
    statuses: 0,
    changes: 0,
    contacts: 0,
    events: 0,
    skipped: 0,
    rejected: 0,
  };
  entries = 0;
  bodies = 0;
  readonly items = new Range();
  readonly received = new Range();
  readonly #connections = new Map<string, ConnectionTally>();
  readonly #notUnderstood = new Map<string, NotUnderstood>();

  entry(decoded: DecodedEntry, origin: string): void {
    const { provider, sections, unrecognized, receivedAt } = decoded;
    this.bodies += decoded.signatures.length + decoded.unsigned;
    this.received.add(receivedAt);
    const named = new Set<ConnectionTally>();
    for (const section of sections) {
      const connection = this.#connectionOf(section, provider);
      if (connection !== undefined) named.add(connection);
      for (const fact of section.facts) this.#fact(fact, connection, origin);
    }
    for (const connection of named) connection.entries++;
    for (const { path, reason, excerpt } of unrecognized) {
      this.notUnderstood(reason, { origin, path, message: null, excerpt });
    }
  }

  notUnderstood(reason: string, sample: NotUnderstood['samples'][number]): void {
    const known = this.#notUnderstood.get(reason);
    const shown = { ...sample, excerpt: shownExcerpt(sample.excerpt) };
    if (known === undefined) {
      if (this.#notUnderstood.size < MOST_NAMES)
        this.#notUnderstood.set(reason, { reason, count: 1, samples: [shown] });
      return;
    }
    known.count++;
    if (known.samples.length < MOST_SAMPLES) known.samples.push(shown);
  }

  /** Most frequent first. */
  notUnderstoodList(): NotUnderstood[] {
    return [...this.#notUnderstood.values()].sort((a, b) => b.count - a.count);
  }

  connections(): InspectedConnection[] {
    return this.#mergedByWaba()
      .map(({ hint, provider, entries, messages, statuses, items }) => ({
        phoneNumberId: hint.phoneNumberId ?? null,
        number: hint.displayPhoneNumber ?? null,
        wabaId: hint.wabaId ?? null,
        session: hint.sessionName ?? null,
        provider,
        entries,
        messages,
        statuses,
        items: items.get(),
      }))
      .sort((a, b) => b.messages - a.messages || b.entries - a.entries);
  }

  /** Account events name only the WABA: they belong to its number, if it has just one. */
  #mergedByWaba(): ConnectionTally[] {
    const all = [...this.#connections.values()];
    const numbers = all.filter(({ hint }) => hint.phoneNumberId !== undefined);
    return all.filter((one) => {
      const { phoneNumberId, wabaId, sessionName } = one.hint;
      if (phoneNumberId !== undefined || sessionName !== undefined || wabaId === undefined) return true;
      const [number, ...others] = numbers.filter(({ hint }) => hint.wabaId === wabaId);
      if (number === undefined || others.length > 0) return true;
      // An entry can hold both.
      number.entries = Math.min(number.entries + one.entries, this.entries);
      return false;
    });
  }

  #connectionOf(
    { connection: hint }: Section,
    provider: ConnectionTally['provider'],
  ): ConnectionTally | undefined {
    const { phoneNumberId, sessionName, wabaId, displayPhoneNumber } = hint;
    const key = JSON.stringify([
      phoneNumberId ?? null,
      phoneNumberId === undefined ? (sessionName ?? wabaId ?? displayPhoneNumber ?? null) : null,
      provider,
    ]);
    const known = this.#connections.get(key);
    if (known !== undefined) {
      known.hint = { ...hint, ...known.hint };
      return known;
    }
    if (this.#connections.size >= MOST_NAMES) return undefined;
    const tally = { hint, provider, entries: 0, messages: 0, statuses: 0, items: new Range() };
    this.#connections.set(key, tally);
    return tally;
  }

  #fact(fact: Fact, connection: ConnectionTally | undefined, origin: string): void {
    const { counts } = this;
    const at = (time: number): void => {
      // A WhatsApp Web status has no time of its own.
      if (time === 0) return;
      this.items.add(time);
      connection?.items.add(time);
    };
    switch (fact.kind) {
      case 'message':
        counts.messages++;
        if (fact.origin === 'history') counts.history++;
        if (connection !== undefined) connection.messages++;
        at(fact.timestamp);
        break;
      case 'status':
        counts.statuses++;
        if (connection !== undefined) connection.statuses++;
        at(fact.at);
        break;
      case 'edit':
      case 'revoke':
      case 'reaction':
        counts.changes++;
        at(fact.at);
        break;
      case 'address_book':
      case 'profile':
        counts.contacts++;
        break;
      case 'event':
        counts.events++;
        break;
      case 'skipped':
        counts.skipped++;
        break;
      case 'rejected':
        counts.rejected++;
        this.notUnderstood(fact.reason, { origin, path: fact.path, message: null, excerpt: fact.excerpt });
        break;
      case 'identity_link':
      case 'history_chunk':
      case 'history_state':
        break;
    }
  }
}

/** Findings in one file. */
export class FileTally {
  readonly findings = new Findings();
  skippedLines = 0;
  readonly #forms = new Map<string, Form>();

  constructor(
    readonly path: string,
    private readonly opened: OpenedInput | undefined,
  ) {}

  /** An entry, with the wrappers around its bodies. */
  form(via: readonly string[]): void {
    const { containers = [], format } = this.opened ?? {};
    const outside = format === undefined ? [] : [format];
    // A Docker line shows in the file's form, and in the step that removes its frame.
    const steps = [...containers, ...outside, ...(via[0] === format ? via.slice(1) : via)];
    const key = steps.join('\n');
    const known = this.#forms.get(key);
    if (known !== undefined) known.entries++;
    else if (this.#forms.size < MOST_NAMES) this.#forms.set(key, { steps, entries: 1 });
  }

  result(): InspectedFile {
    const { findings } = this;
    if (this.#forms.size === 0 && this.opened !== undefined) {
      this.#forms.set('', { steps: [...this.opened.containers, this.opened.format], entries: 0 });
    }
    return {
      path: this.path,
      bytes: this.opened?.size ?? null,
      forms: [...this.#forms.values()].sort((a, b) => b.entries - a.entries),
      entries: findings.entries,
      bodies: findings.bodies,
      skippedLines: this.skippedLines,
      counts: findings.counts,
      received: findings.received.get(),
      items: findings.items.get(),
      connections: findings.connections(),
      notUnderstood: findings.notUnderstoodList(),
    };
  }
}
