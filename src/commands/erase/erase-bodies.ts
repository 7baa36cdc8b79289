import type { Context } from '../../context.js';
import { RawLog } from '../../rawlog/raw-log.js';
import type { Redaction } from '../../ingest/batch/redact-body.js';
import { redactEntry, type Person } from '../../rawlog/redact-entry.js';
import {
  findEntriesNaming,
  rewriteBodies,
  unnameEntries,
  type RewrittenBody,
} from '../../store/tables/removed-bodies.js';
import { moveRejects } from '../../store/tables/rejects.js';
import { erasePending, type Gone } from '../../store/changes/erase-person.js';
import type { Sql } from '../../store/sql.js';
import { wordsOfNames } from '../../identity/name-words.js';
import { patternsOf } from '../explain/log-items.js';

/** Entries that are read, and rewritten, together. */
const TOGETHER = 500;

/** What becomes of the raw log's bodies without a person. */
export interface ErasedBodies {
  /** Bodies that are emptied, and those that are written anew without the person's items. */
  erased: number;
  redacted: number;
  /** The person's items in them. */
  items: number;
  /** Items of other people in emptied bodies, from which the person's could not be separated. */
  others: number;
  /** Entries in which other people name the person: in a text, a quote, a contact card. They stay. */
  mentions: number;
}

/**
 * Takes a person out of the bodies of the raw log: those with nothing else are emptied, the others written anew. One transaction per
 * batch, each with its journal; what is done is not found again, so a run that was killed goes on where it was. `record` gets the rows
 * of other tables that go with a batch, in its transaction.
 */
export async function eraseBodies(
  ctx: Context,
  runId: string,
  person: Person,
  record: (tx: Sql, gone: Gone) => Promise<void>,
): Promise<ErasedBodies> {
  const done = nothing();
  for await (const redactions of redactionsOf(ctx.store.sql, person, ctx.signal)) {
    const rows = redactions.flatMap(({ id, redaction }): RewrittenBody[] =>
      redaction.kind === 'untouched'
        ? []
        : [
            {
              id,
              rawBody: redaction.body,
              bodyState: redaction.kind,
              counters: redaction.counters(),
              ...redaction.filing,
            },
          ],
    );
    const rejects = redactions.flatMap(({ id, redaction }) =>
      redaction.kind === 'untouched'
        ? []
        : [
            ...redaction.gone.map((path) => ({ webhookLogId: id, path, to: null })),
            ...[...redaction.moved].flatMap(([path, to]) =>
              path === to ? [] : { webhookLogId: id, path, to },
            ),
          ],
    );
    const now = nothing();
    for (const { redaction } of redactions) count(now, redaction);
    await ctx.store.transaction(async (tx) => {
      await rewriteBodies(tx, runId, rows);
      const gone = {
        ...recordOf(now),
        rejects: await moveRejects(tx, rejects),
        pending_facts: await erasePending(
          tx,
          redactions.flatMap(({ redaction }) => (redaction.kind === 'untouched' ? [] : redaction.messages)),
        ),
      };
      await unnameEntries(
        tx,
        redactions.map(({ id }) => id),
        [...person.names],
      );
      await record(tx, gone);
    });
    for (const { redaction } of redactions) count(done, redaction);
    ctx.emit({ event: 'progress', bytesRead: 0, entries: done.erased + done.redacted, messages: 0 });
  }
  return done;
}

async function* redactionsOf(
  sql: Sql,
  person: Person,
  signal: AbortSignal,
): AsyncGenerator<{ id: string; redaction: Redaction }[], void, undefined> {
  const log = await RawLog.open(sql);
  const names = [...person.names];
  const patterns = patternsOf([...wordsOfNames(names), ...person.words, ...person.messages]);
  for (let after: string | null = null; !signal.aborted;) {
    const page: Awaited<ReturnType<typeof findEntriesNaming>> = await findEntriesNaming(
      sql,
      { names, patterns },
      after,
      TOGETHER,
      { strange: true },
    );
    after = page.last;
    if (after === null) return;
    const redactions: { id: string; redaction: Redaction }[] = [];
    for await (const decoded of log.entries({ statuses: [], ids: page.ids })) {
      const { id } = decoded.entry;
      const redaction = redactEntry(log, decoded, person);
      if (redaction.kind !== 'untouched' || !page.strange.has(id)) redactions.push({ id, redaction });
    }
    yield redactions;
  }
}

/** What of the bodies is on record beside the rows of tables. Mentions stay, so that each run counts all of them. */
const RECORDED = ['erased', 'redacted', 'items', 'others'] as const;
const PREFIX = 'bodies.';

function recordOf(bodies: ErasedBodies): Gone {
  return Object.fromEntries(RECORDED.map((what) => [PREFIX + what, bodies[what]]));
}

/** Whether a count on record is one of {@link ErasedBodies}, and none of the rows of a table. */
export function isOfBodies(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** What became of the bodies in all runs of an erasure, by its counts; `now`: in the last one. */
export function bodiesOf(
  counts: Readonly<Record<string, unknown>>,
  now: ErasedBodies | null,
): ErasedBodies | null {
  if (now === null) return null;
  const bodies = { ...now };
  for (const what of RECORDED) {
    const count = counts[PREFIX + what];
    bodies[what] = typeof count === 'number' ? count : 0;
  }
  return bodies;
}

function nothing(): ErasedBodies {
  return { erased: 0, redacted: 0, items: 0, others: 0, mentions: 0 };
}

function count(done: ErasedBodies, redaction: Redaction): void {
  if (redaction.kind === 'untouched') {
    done.mentions += 1;
    return;
  }
  done[redaction.kind] += 1;
  done.items += redaction.items;
  done.others += redaction.others;
}
