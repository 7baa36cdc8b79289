import { amount, count } from '../../model/amount.js';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Context } from '../../context.js';
import type { Applier } from '../../ingest/apply/execute-batch.js';
import { isRunAlive } from '../../ingest/runs/judge.js';
import { withRun, type Run, type RunEnd, workOf } from '../../ingest/runs/with-run.js';
import { UserError } from '../../model/errors.js';
import type { JsonObject } from '../../model/json.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { RunResult } from '../../model/run-result.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { UNDONE } from '../../store/tables/run-cover.js';
import { readUnfinishedRuns } from '../../store/tables/sync-runs.js';
import { importOne, namedConnection, type Imported } from './import-contact.js';
import { statusOf } from './import-result.js';
import { applyBeside } from './save-page.js';
import { pause } from '../../whatsapp/wait.js';
import {
  IMPORT_OUTCOMES,
  type ImportListOptions,
  type ListedContact,
  type ImportListResult,
  type ImportOutcome,
  type ListedImport,
} from './types.js';
import type { Phones } from './phone.js';
import { rfc3339 } from '../../model/time.js';

/** Outcomes after which the next contact would fail, too; the same command resumes here. */
const STOPPING: ReadonlySet<ImportListResult['imports'][number]['outcome']> = new Set<ImportOutcome>([
  'conflict',
  'logged_out',
  'offline',
  'interrupted',
]);

/** Outcomes of contacts that were not imported, and may be by another attempt: nothing is wrong with them. */
const MAY_COME: ReadonlySet<ListedImport['outcome']> = new Set<ImportOutcome>([
  'silent',
  'throttled',
  'not_linked',
  'download_failed',
]);

/** Problems with one contact only. */
const OWN_FAULTS: Readonly<Record<string, 'invalid_contact' | 'ambiguous_contact'>> = {
  invalid_contact: 'invalid_contact',
  unknown_contact: 'invalid_contact',
  erased_contact: 'invalid_contact',
  group_not_imported: 'invalid_contact',
  ambiguous_contact: 'ambiguous_contact',
  connection_ambiguous: 'ambiguous_contact',
};

/**
 * Imports many contacts in turn over one socket per connection, pausing after every few phone requests. A bad contact
 * does not affect the others; a broken line ends the run. If killed or stopped, the same list resumes.
 */
export async function importList(
  ctx: Context,
  options: ImportListOptions,
  phones: Phones,
): Promise<ImportListResult> {
  try {
    const named = await namedConnection(ctx, options.connection);
    const list = digestOf(options);
    const resume = options.resume ? await findListResume(ctx, list) : null;
    return await withRun(
      ctx,
      {
        command: 'import',
        options: options.recordedOptions,
        work: workOf('import', { list, count: options.count }),
        resumed: resume === null ? null : { runId: resume.runId, checkpoint: toJson(resume.checkpoint) },
      },
      async (run) => {
        const work = new ListImport(ctx, options, phones, named, list, resume, run);
        await work.importAll();
        await work.takeLate();
        return { result: work.result(), end: work.end() };
      },
    );
  } finally {
    await phones.close();
  }
}

class ListImport {
  private readonly imports: ListedImport[] = [];
  private readonly doneBefore: number;
  private readonly asked = new Map<string, { connection: ConnectionRow; names: Set<string> }>();
  /** What came for a contact after its own import. */
  private readonly late = { created: 0, updated: 0 };
  private stopped: ImportOutcome | null = null;
  /** Failed contacts, including the earlier part of a resumed list, and the first of them by name. */
  private failed: number;
  private readonly failures: KeptFailure[];
  private readonly failuresBefore: number;

  constructor(
    private readonly ctx: Context,
    private readonly options: ImportListOptions,
    private readonly phones: Phones,
    private readonly named: ConnectionRow | null,
    private readonly list: string,
    private readonly resume: ListResume | null,
    private readonly run: Run,
  ) {
    this.doneBefore = resume?.checkpoint.done ?? 0;
    this.failed = resume?.checkpoint.failed ?? 0;
    this.failures = [...(resume?.checkpoint.failures ?? [])];
    this.failuresBefore = this.failures.length;
  }

  async importAll(): Promise<void> {
    const due = this.options.contacts.slice(this.doneBefore);
    let asked = 0;
    for (const [index, contact] of due.entries()) {
      if (this.ctx.signal.aborted || !(await this.pauseBefore(asked))) {
        this.stopped = 'interrupted';
        return;
      }
      const done = await this.importContact(contact);
      this.imports.push(done.listed);
      if (STOPPING.has(done.listed.outcome)) {
        this.stopped = done.stopped;
        return;
      }
      asked = done.hasAsked ? asked + 1 : asked;
      this.hasPaused = !done.hasAsked;
      await this.run.checkpoint(
        this.ctx.store.sql,
        toJson({
          version: 1,
          list: this.list,
          done: this.doneBefore + index + 1,
          failed: this.failed,
          failures: this.failures.slice(0, FAILURES_KEPT),
        }),
        { contacts: index + 1 },
      );
    }
  }

  /** Ends the session, and applies what came for a contact while others were imported, or at the very end. */
  async takeLate(): Promise<void> {
    await this.phones.close();
    for (const { connection, names } of this.asked.values()) {
      const { tally } = await applyBeside(this.ctx, this.applier(), connection, names);
      this.late.created += tally.messages.created;
      this.late.updated += tally.messages.updated;
    }
  }

  /** No pause after an import that did not ask the phone. */
  private hasPaused = true;

  /** A long pause after every few contacts, a short one otherwise; false when the user stopped it. */
  private async pauseBefore(asked: number): Promise<boolean> {
    if (this.hasPaused) return true;
    const { listBatch, listPauseMs, pagePauseMs } = this.options;
    const waitMs = asked % listBatch === 0 ? listPauseMs : pagePauseMs;
    this.ctx.emit({ event: 'import', contact: '', step: 'pausing', waitMs });
    return pause(waitMs, this.ctx.signal);
  }

  private async importContact({ line, contact }: ListedContact): Promise<{
    listed: ListedImport;
    stopped: ImportOutcome | null;
    hasAsked: boolean;
  }> {
    const { ctx, options, phones, named } = this;
    try {
      const done = await importOne(ctx, { applier: this.applier(), phones, options, named }, contact);
      this.remember(done);
      if (statusOf(done) !== 'completed' && !STOPPING.has(done.outcome)) {
        const { outcome, reason, connection } = done;
        this.fail({ line, contact, outcome, reason, connection: connection?.name ?? null });
      }
      const { created, updated } = done.tally.messages;
      ctx.emit({ event: 'import', contact, step: 'done', outcome: done.outcome });
      return {
        listed: {
          line,
          contact,
          outcome: done.outcome,
          reason: done.reason,
          connection: done.connection?.name ?? null,
          created,
          updated,
          pages: done.fetched?.pages.length ?? 0,
          nextAllowedAt: rfc3339(done.nextAllowedAt),
        },
        stopped: done.outcome,
        hasAsked: (done.fetched?.requests ?? 0) > 0,
      };
    } catch (error) {
      const fault = error instanceof UserError ? OWN_FAULTS[error.code] : undefined;
      if (fault === undefined) throw error;
      const reason = error instanceof Error ? error.message : null;
      this.fail({ line, contact, outcome: fault, reason, connection: null });
      ctx.emit({ event: 'import', contact, step: 'done', outcome: fault });
      return {
        listed: { ...NOTHING, line, contact, outcome: fault, reason },
        stopped: null,
        hasAsked: false,
      };
    }
  }

  private applier(): Applier {
    const { ctx, options, run } = this;
    const target = { sql: ctx.store.sql, dryRun: false };
    return { runId: run.id, newId: run.newId, batchSize: options.batchSize, target };
  }

  /** Whom the phone of a connection was asked about. */
  private remember({ connection, fetched, subject }: Imported): void {
    if (connection === null || fetched === null) return;
    const known = this.asked.get(connection.id) ?? { connection, names: new Set() };
    for (const name of subject.names) known.names.add(name);
    this.asked.set(connection.id, known);
  }

  private fail(failure: KeptFailure): void {
    this.failed += 1;
    this.failures.push(failure);
  }

  end(): RunEnd {
    const status = this.status();
    const { created, updated } = this.messages();
    return {
      status,
      counters: { contacts: this.done(), [UNDONE]: this.undone(), messages: { created, updated } },
      verdict: `${status}: ${amount(this.done(), 'contact')}, ${amount(created, 'message')} created, ${count(updated)} updated`,
      error: this.stopped,
    };
  }

  result(): ImportListResult {
    const { ctx, imports, stopped, options, run } = this;
    const finishedAt = ctx.clock();
    const done = this.done();
    return {
      schemaVersion: 1,
      command: 'import',
      runId: run.id,
      status: this.status(),
      startedAt: new Date(run.startedAt).toISOString(),
      finishedAt: new Date(finishedAt).toISOString(),
      durationMs: finishedAt - run.startedAt,
      contacts: {
        listed: options.contacts.length,
        done,
        doneBefore: this.doneBefore,
        left: options.contacts.length - this.doneBefore - done,
        failedBefore: this.resume?.checkpoint.failed ?? 0,
      },
      outcomes: countOutcomes(imports),
      messages: this.messages(),
      imports,
      failures: this.failures.map((failure, at) => ({
        ...failure,
        earlier: at < this.failuresBefore,
        remedy: remedyOf(failure),
      })),
      ...(this.resume === null ? {} : { resumedFrom: { runId: this.resume.runId } }),
      database: ctx.store.location,
      stopped,
    };
  }

  /** Contacts processed. */
  private done(): number {
    return this.imports.filter(({ outcome }) => !STOPPING.has(outcome)).length;
  }

  /** Contacts that another attempt may bring, those of the resumed run included as far as they are known by name. */
  private undone(): number {
    return this.failures.filter(({ outcome }) => MAY_COME.has(outcome)).length;
  }

  private messages(): ImportListResult['messages'] {
    return {
      created: this.imports.reduce((sum, one) => sum + one.created, this.late.created),
      updated: this.imports.reduce((sum, one) => sum + one.updated, this.late.updated),
    };
  }

  private status(): RunResult['status'] {
    if (this.stopped === 'interrupted') return 'interrupted';
    if (this.stopped !== null) return 'failed';
    return this.failed > 0 ? 'partial' : 'completed';
  }
}

const NOTHING = { connection: null, created: 0, updated: 0, pages: 0, nextAllowedAt: null };

function countOutcomes(imports: readonly ListedImport[]): ImportListResult['outcomes'] {
  const outcomes: ImportListResult['outcomes'] = {};
  for (const { outcome } of imports) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return outcomes;
}

/** This many failed contacts are kept by name for the run that resumes the list. */
const FAILURES_KEPT = 100;

const OUTCOMES = [...IMPORT_OUTCOMES, 'invalid_contact', 'ambiguous_contact'] as const;

const failureSchema = z.object({
  line: z.number().int(),
  contact: z.string(),
  outcome: z.enum(OUTCOMES),
  reason: z.string().nullable(),
  connection: z.string().nullable(),
});
type KeptFailure = z.infer<typeof failureSchema>;

/** How to fix a failed contact. */
function remedyOf({ contact, outcome, connection }: KeptFailure): Remedy | null {
  const over = connection === null ? [] : ['--connection', connection];
  switch (outcome) {
    case 'invalid_contact':
    case 'ambiguous_contact':
      return null;
    case 'not_linked':
    case 'logged_out':
      return connection === null ? null : remedy('link', over, 'links the phone; import again afterwards');
    case 'no_anchor':
      return remedy('explain', [contact], 'shows what is known about this contact');
    case 'cache':
    case 'fetched':
    case 'end_of_history':
    case 'empty':
    case 'silent':
    case 'throttled':
    case 'conflict':
    case 'offline':
    case 'download_failed':
    case 'interrupted':
    case 'would_fetch':
      return remedy('import', [contact, ...over, '--phase', 'fetch', '--force'], 'asks the phone again');
  }
}

/** The checkpoint that a list run writes after each contact. */
const checkpointSchema = z.object({
  version: z.literal(1),
  /** Digest of the list and of the options. */
  list: z.string(),
  /** Contacts from the start of the list that are done. */
  done: z.number().int().min(0),
  /** Those of them that failed: they count in the verdict of the run that resumes the list. */
  failed: z.number().int().min(0).default(0),
  /** The first of them by name. */
  failures: z.array(failureSchema).default([]),
});
type ListCheckpoint = z.infer<typeof checkpointSchema>;

interface ListResume {
  runId: string;
  checkpoint: ListCheckpoint;
}

/** The same list with the same options, whatever file it came from. */
function digestOf({ contacts, connection, phase, pages, until }: ImportListOptions): string {
  const list = contacts.map(({ contact }) => contact);
  const wishes = JSON.stringify([list, connection ?? null, phase, pages, until ?? null]);
  return createHash('sha256').update(wishes).digest('hex');
}

/** The newest run over the same list that stopped early and is no longer alive. */
async function findListResume(ctx: Context, list: string): Promise<ListResume | null> {
  for (const run of await readUnfinishedRuns(ctx.store.sql, 'import')) {
    const parsed = checkpointSchema.safeParse(run.checkpoint);
    if (!parsed.success || parsed.data.list !== list) continue;
    if (!(await isRunAlive(ctx, run, ctx.store.sql))) return { runId: run.id, checkpoint: parsed.data };
  }
  return null;
}

function toJson({ failures, ...checkpoint }: ListCheckpoint): JsonObject {
  return { ...checkpoint, failures: failures.map((failure) => ({ ...failure })) };
}
