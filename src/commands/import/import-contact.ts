import { amount, count } from '../../model/amount.js';
import type { Context, ImportStep } from '../../context.js';
import type { Applier } from '../../ingest/apply/execute-batch.js';
import { Tally } from '../../ingest/batch/tally.js';
import { rehearse } from '../../ingest/runs/in-batch.js';
import { withRun, type RunEnd, type Target } from '../../ingest/runs/with-run.js';
import { UserError } from '../../model/errors.js';
import { readConversationsOfLead, readOldestTime } from '../../store/queries/message-pages.js';
import { type ConnectionRow, readConnections } from '../../store/tables/connections.js';
import {
  deleteFilesOfRequest,
  deleteGap,
  readGaps,
  readOwedHistory,
  recordGap,
  type HistoryGap,
} from '../../store/tables/history.js';
import { readEarlierImports, type EarlierImports } from '../../store/tables/sync-logs.js';
import { findConnection } from '../connections/find.js';
import { fetchPages, type Fetched, type FetchedGap } from './fetch-pages.js';
import { findAnchor, type Anchor } from './find-anchor.js';
import { ImportLog } from './import-log.js';
import { resultOf, statusOf, askedAtOf } from './import-result.js';
import { replayCache } from './replay-cache.js';
import { applyBeside, savePage } from './save-page.js';
import { chooseConnection, addressesOf, findSubject, namesWith, type Subject } from './subject.js';
import { taskOf, type ImportTask } from './import-task.js';
import {
  type ImportOptions,
  type ImportResult,
  THROTTLE_MS,
  type FetchOptions,
  type ImportOutcome,
} from './types.js';
import { type Phones, type Phone } from './phone.js';

/**
 * Imports one contact's history: from the raw log first, from WhatsApp only if that gives nothing, and only over the
 * tool's own linked device. Every ending is an outcome of the result; only a wrong contact, connection or key, a lock,
 * or a bug throws. Pages that arrived are kept whatever happens later.
 */
export async function importContact(
  ctx: Context,
  options: ImportOptions,
  phones: Phones,
): Promise<ImportResult> {
  try {
    const named = await namedConnection(ctx, options.connection);
    // Before there is a run: one that only its arguments fail has left nothing undone.
    const task = await taskOf(ctx, options, named);
    return options.dryRun
      ? await rehearse(ctx.store, (sql) =>
          importInto(ctx, options, phones, named, task, { sql, dryRun: true }),
        )
      : await importInto(ctx, options, phones, named, task, { sql: ctx.store.sql, dryRun: false });
  } finally {
    await phones.close();
  }
}

function importInto(
  ctx: Context,
  options: ImportOptions,
  phones: Phones,
  named: ConnectionRow | null,
  { work, leadId }: ImportTask,
  target: Target,
): Promise<ImportResult> {
  const { dryRun, batchSize, recordedOptions } = options;
  const recorded = leadId === null ? recordedOptions : { ...recordedOptions, leadId };
  return withRun(ctx, { command: 'import', options: recorded, work, target }, async (run) => {
    const applier = { runId: run.id, newId: run.newId, batchSize, target };
    const close = (): Promise<void> => phones.close();
    const done = await importOne(ctx, { applier, phones, close, options, named }, options.contact);
    const { startedAt } = run;
    return {
      result: resultOf(ctx, done, { runId: dryRun ? null : run.id, dryRun, startedAt }),
      end: endOf(done),
    };
  });
}

/** The named connection, as a row. Throws ConfigError if it does not exist. */
export async function namedConnection(
  ctx: Context,
  reference: string | undefined,
): Promise<ConnectionRow | null> {
  if (reference === undefined) return null;
  const { id } = await findConnection(ctx, reference);
  return (await readConnections(ctx.store.sql)).find((row) => row.id === id) ?? null;
}

function endOf(done: Imported): RunEnd {
  const { created, updated, unchanged } = done.tally.messages;
  return {
    status: statusOf(done),
    counters: { messages: { created, updated, unchanged } },
    verdict: `${done.outcome}: ${amount(created, 'message')} created, ${count(updated)} updated, ${count(unchanged)} unchanged`,
  };
}

/** The outcome of one contact's import, before presentation. */
export interface Imported {
  outcome: ImportOutcome;
  reason: string | null;
  subject: Subject;
  connection: ConnectionRow | null;
  tally: Tally;
  cache: ImportResult['cache'];
  fetched: Fetched | null;
  /** Parts of the chat that an answer left out, in this import and earlier ones. */
  gaps: readonly FetchedGap[];
  anchor: Anchor | null;
  oldestMessageAt: number | null;
  nextAllowedAt: number | null;
  /** Files that the connection's phone announced and that did not arrive. */
  owedFiles: number;
}

/** What the run provides for each of its contacts. */
interface ImportWork {
  applier: Applier;
  phones: Phones;
  /** Ends the session with the phone, if no other contact follows. */
  close?: () => Promise<void>;
  options: FetchOptions;
  /** The named connection. */
  named: ConnectionRow | null;
}

/**
 * Imports one contact's past: from the raw log first, from the phone only if that gives nothing. Throws ConfigError for
 * what cannot be a contact or matches several, and the device's errors (locked, wrong key).
 */
export async function importOne(ctx: Context, work: ImportWork, typed: string): Promise<Imported> {
  return new ContactImport(ctx, work, typed).run();
}

class ContactImport {
  private readonly tally = new Tally();
  private cache: ImportResult['cache'] = { entries: 0, created: 0, updated: 0 };
  private connection: ConnectionRow | null;
  private isLinked = false;
  private fetched: Fetched | null = null;
  private anchor: Anchor | null = null;
  private nextAllowedAt: number | null = null;
  private gaps: readonly HistoryGap[] = [];
  /** What earlier answers left out, where this import had something in the raw log. */
  private leftBehind: readonly FetchedGap[] = [];

  constructor(
    private readonly ctx: Context,
    private readonly work: ImportWork,
    private readonly typed: string,
  ) {
    this.connection = work.named;
  }

  async run(): Promise<Imported> {
    const log = new ImportLog(this.ctx, this.work.applier, this.work.options);
    try {
      const ended = await this.steps(log);
      // Whatever step was the last one: the user has stopped it, and what came by then is stored.
      const { outcome, reason } = this.ctx.signal.aborted ? just('interrupted') : ended;
      const done = await this.result(outcome, reason);
      await log.finish(done);
      return done;
    } catch (error) {
      await log.fail(error).catch(() => undefined);
      throw error;
    }
  }

  private async steps(log: ImportLog): Promise<{ outcome: ImportOutcome; reason: string | null }> {
    const { phase } = this.work.options;
    await this.begin(log);
    let isDone = false;
    if (phase !== 'fetch') {
      await this.lookIntoCache();
      if (this.ctx.signal.aborted) return just('interrupted');
      isDone = this.cache.created + this.cache.updated > 0;
      if (phase === 'cache') return just(isDone ? 'cache' : 'empty');
    }
    const subject = await this.subject();
    const chosen = await chooseConnection(this.sql, subject, this.work.named?.id);
    // What an import that was cut short left waiting is not all that it was asked for.
    if (isDone && !(await this.isCutShort(chosen))) return just('cache');
    this.connection = chosen.connection;
    this.isLinked = chosen.isLinked;
    if (this.connection === null || !this.isLinked) return just('not_linked');
    const obstacle = await this.obstacle(subject, this.connection);
    if (obstacle !== null) return just(this.leftBehind.length > 0 ? 'cache' : obstacle);
    if (this.work.applier.target.dryRun) return just('would_fetch');
    return this.fetch(this.connection, log);
  }

  /** Puts on record whom the import is for, before anything is done: a kill must not leave that open. */
  private async begin(log: ImportLog): Promise<void> {
    const subject = await this.subject();
    if (subject.lead === null) return;
    const { named, options } = this.work;
    const connection =
      options.phase === 'cache'
        ? (named ?? (await this.onlyConnection(subject)))
        : (await chooseConnection(this.sql, subject, named?.id)).connection;
    if (connection !== null) await log.start(connection.id, subject.lead.leadId);
  }

  /** Whether an answer is known to have left something out, and the phone can be asked for it. */
  private async isCutShort({
    connection,
    isLinked,
  }: Awaited<ReturnType<typeof chooseConnection>>): Promise<boolean> {
    if (connection === null || this.work.applier.target.dryRun) return false;
    this.leftBehind = openParts(await this.gapsOf(connection));
    return isLinked && this.leftBehind.length > 0;
  }

  /** Why the phone must not be asked; null if it may be, and then there is an anchor. */
  private async obstacle({ lead }: Subject, connection: ConnectionRow): Promise<ImportOutcome | null> {
    if (lead === null) return 'no_anchor';
    const earlier = await readEarlierImports(this.sql, lead.leadId, connection.id);
    this.anchor = await this.findAnchor(lead, connection, earlier);
    if (this.anchor === null) return 'no_anchor';
    const { until } = this.work.options;
    this.gaps = await this.gapsOf(connection);
    // Everything requested is already stored.
    if (until !== undefined && this.anchor.timestampMs < until && this.gaps.every(isUnanswered))
      return 'cache';
    return this.isTooEarly(earlier) ? 'throttled' : null;
  }

  private async lookIntoCache(): Promise<void> {
    this.tell({ step: 'cache' });
    const { applier, named } = this.work;
    const found = await replayCache(this.ctx, applier, {
      ...(named === null ? {} : { connection: named }),
      names: async () => (await this.subject()).names,
    });
    this.tally.absorb(found.tally);
    const { created, updated } = found.tally.messages;
    this.cache = { entries: found.entries, created, updated };
  }

  private async findAnchor(
    lead: NonNullable<Subject['lead']>,
    connection: ConnectionRow,
    earlier: EarlierImports,
  ): Promise<Anchor | null> {
    const [conversation] = await readConversationsOfLead(this.sql, lead.leadId, connection.id);
    if (conversation === undefined) return null;
    return findAnchor(this.sql, conversation.id, addressesOf(lead), earlier.answeredAs);
  }

  /** One fetch per contact in five minutes, across all processes. */
  private isTooEarly({ askedAt }: EarlierImports): boolean {
    if (askedAt === null || this.work.options.force) return false;
    const allowed = askedAt + THROTTLE_MS;
    if (allowed <= this.ctx.clock()) return false;
    this.nextAllowedAt = allowed;
    return true;
  }

  private async fetch(
    connection: ConnectionRow,
    log: ImportLog,
  ): Promise<{ outcome: ImportOutcome; reason: string | null }> {
    const { phones } = this.work;
    await log.goToPhone(connection.id, (await this.subject()).lead?.leadId ?? null);
    this.tell({ step: 'connecting' });
    let phone;
    try {
      phone = await phones.open(connection);
    } catch (error) {
      if (error instanceof UserError && error.code === 'not_linked') return just('not_linked');
      throw error;
    }
    // What an earlier session could not download, or WhatsApp kept for the device, may concern this contact.
    await this.applyBeside(connection);
    // Another process may have asked about this contact while this one waited for the device.
    const subject = await this.subject();
    const obstacle = await this.obstacle(subject, connection);
    const { anchor } = this;
    if (obstacle !== null || anchor === null) return just(obstacle ?? 'no_anchor');
    this.fetched = await this.fetchFrom(phone, anchor, subject, connection);
    const { outcome, reason } = this.fetched;
    // Late chunks, and answers to earlier requests: they are confirmed to WhatsApp, and belong to this import.
    await phone.settle();
    // A file that is announced only now is still waited for when the session ends.
    await this.work.close?.();
    const beside = await this.applyBeside(connection);
    this.fetched.gaps.push(...(await this.leftOpen(connection, this.fetched)));
    const askedAt = askedAtOf(this.ctx.signal.aborted ? 'interrupted' : outcome, this.fetched.askedAt);
    if (askedAt !== null) this.nextAllowedAt = askedAt + THROTTLE_MS;
    return outcome === 'silent' && beside > 0 ? just('fetched') : { outcome, reason };
  }

  /** Parts in front of answers that came too late: nobody has looked what they leave out. */
  private async leftOpen(connection: ConnectionRow, { gaps }: Fetched): Promise<FetchedGap[]> {
    const known = new Set(gaps.map(({ anchor }) => anchor.id));
    return openParts(await this.gapsOf(connection)).filter(({ anchor }) => !known.has(anchor.id));
  }

  private async gapsOf(connection: ConnectionRow): Promise<HistoryGap[]> {
    const { lead } = await this.subject();
    const { phone, lid } = lead === null ? { phone: null, lid: null } : addressesOf(lead);
    return readGaps(
      this.sql,
      connection.id,
      [phone, lid].filter((address) => address !== null),
    );
  }

  private async fetchFrom(
    phone: Phone,
    anchor: Anchor,
    subject: Subject,
    connection: ConnectionRow,
  ): Promise<Fetched> {
    const { ctx, sql, work } = this;
    const { applier, options } = work;
    return fetchPages(ctx, {
      phone,
      anchor,
      options,
      gaps: this.gaps,
      save: async (chunks, addresses, { counted }) => {
        const names = namesWith(subject.names, addresses);
        const saved = await savePage(ctx, applier, connection, names, chunks);
        if (counted) this.tally.absorb(saved.tally);
        return saved;
      },
      recordGap: (gap) =>
        gap.filled ? deleteGap(sql, connection.id, gap) : recordGap(sql, connection.id, gap, ctx.clock()),
      answered: (chatJid, anchorId) => deleteFilesOfRequest(sql, connection.id, { chatJid, anchorId }),
      tell: (step) => {
        this.tell(step);
      },
    });
  }

  /** Applies what came besides the answers, from the raw log; returns how many messages that added. */
  private async applyBeside(connection: ConnectionRow): Promise<number> {
    const { names } = await this.subject();
    const { tally, entries } = await applyBeside(this.ctx, this.work.applier, connection, names);
    this.tally.absorb(tally);
    const { created, updated } = tally.messages;
    this.cache = {
      entries: this.cache.entries + entries,
      created: this.cache.created + created,
      updated: this.cache.updated + updated,
    };
    return created + updated;
  }

  private async result(outcome: ImportOutcome, reason: string | null): Promise<Imported> {
    const subject = await this.subject();
    const connection = this.connection ?? (await this.onlyConnection(subject));
    const owed = (await readOwedHistory(this.sql)).find((one) => one.connectionId === connection?.id);
    return {
      outcome,
      reason,
      subject,
      connection,
      owedFiles: owed?.files ?? 0,
      tally: this.tally,
      cache: this.cache,
      fetched: this.fetched,
      gaps: this.fetched?.gaps ?? this.leftBehind,
      anchor: this.anchor,
      oldestMessageAt: await this.oldestTime(subject),
      nextAllowedAt: this.nextAllowedAt,
    };
  }

  /** If only the cache was asked, the contact's connection, if there is exactly one. */
  private async onlyConnection({ lead }: Subject): Promise<ConnectionRow | null> {
    if (lead === null) return null;
    const ids = (await readConversationsOfLead(this.sql, lead.leadId)).map(
      ({ connectionId }) => connectionId,
    );
    const [only] = ids;
    if (only === undefined || ids.length > 1) return null;
    return (await chooseConnection(this.sql, { ...EMPTY, typed: this.typed }, only)).connection;
  }

  private async oldestTime({ lead }: Subject): Promise<number | null> {
    if (lead === null) return null;
    const conversations = await readConversationsOfLead(this.sql, lead.leadId, this.connection?.id);
    const times = await Promise.all(conversations.map(({ id }) => readOldestTime(this.sql, id)));
    const known = times.filter((time) => time !== null);
    return known.length === 0 ? null : Math.min(...known);
  }

  private subject(): Promise<Subject> {
    return findSubject(this.ctx, this.sql, this.typed, this.work.named?.organizationId);
  }

  private get sql() {
    return this.work.applier.target.sql;
  }

  private tell(step: ImportStep): void {
    this.ctx.emit({ event: 'import', contact: this.typed, ...step });
  }
}

/** A request of which nothing has come, so that nothing can be missing because of it. */
function isUnanswered({ reason }: HistoryGap): boolean {
  return reason === 'asked';
}

function openParts(gaps: readonly HistoryGap[]): FetchedGap[] {
  return gaps.flatMap((gap) =>
    gap.reason === 'asked' ? [] : [{ ...gap, reason: gap.reason, filled: false }],
  );
}

const EMPTY: Omit<Subject, 'typed'> = { names: new Set(), lead: null };

function just(outcome: ImportOutcome): { outcome: ImportOutcome; reason: null } {
  return { outcome, reason: null };
}
