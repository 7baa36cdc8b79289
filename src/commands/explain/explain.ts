import { decodeWamid } from '../../identity/wamid.js';
import { countRunRecords } from '../../store/queries/explain.js';
import type { Context } from '../../context.js';
import {
  concludeEntry,
  concludeGone,
  concludeRows,
  concludeUnstored,
  isBroken,
  type Conclusion,
} from './conclude.js';
import { concludeContact } from './conclude-contact.js';
import { explainContact } from './explain-contact.js';
import { explainRows, explainUnstored } from './explain-message.js';
import { Investigation, runNote } from './investigation.js';
import { journalOfMessage } from './message-story.js';
import type { ExplainOptions, ExplainResult, EntryExplanation, ExplainedFact } from './result.js';
import { findSubject, type Subject } from './subject.js';
import type { LoggedEntry } from '../../store/tables/stored-entries.js';
import { originOf, unreadableView } from './fact-view.js';
import type { ItemVerdict } from './item-verdicts.js';
import { PROBLEMS } from './findings.js';
import { readItems } from './log-items.js';
import { isRefused } from '../../rules/signatures.js';
import { recordShown } from './record-shown.js';
import { rfc3339 } from '../../model/time.js';

type Parts = Partial<
  Pick<ExplainResult, 'messages' | 'contact' | 'entry' | 'run' | 'facts' | 'pending' | 'journal'>
>;

/**
 * Explains where a message, a contact, a raw entry or a run came from, and what happened to a missing one. Read-only,
 * by index; scans the bytes of the whole raw log for unindexed values, and on request. Throws ConfigError for an
 * unknown subject (`unknown_subject`, `unknown_contact`) or an ambiguous one (`ambiguous_…`).
 */
export async function explain(ctx: Context, options: ExplainOptions): Promise<ExplainResult> {
  const inv = await Investigation.open(ctx, options);
  const subject = await findSubject(inv);
  const { conclusion, parts } = await answer(inv, subject);
  const { facts = [], messages = [], contact = null } = parts;
  if (options.bodies) await recordShown(inv, { subject: subject.kind, messages, facts, contact });
  if (subject.kind === 'message' || subject.kind === 'contact') inv.noticeRemoved();
  return {
    schemaVersion: 1,
    command: 'explain',
    database: ctx.store.location,
    query: options.subject.trim(),
    subject: subject.kind === 'gone_entry' ? 'entry' : subject.kind,
    verdict: conclusion.verdict,
    known: conclusion.known,
    findings: conclusion.findings,
    notices: inv.notices,
    remedies: inv.remedies,
    searched: { entries: inv.entries, scanned: inv.scanned, complete: inv.complete },
    messages,
    contact,
    entry: parts.entry ?? null,
    run: parts.run ?? null,
    facts,
    pending: parts.pending ?? [],
    journal: parts.journal ?? [],
    runs: await inv.runs(facts.map((fact) => fact.runId)),
  };
}

async function answer(
  inv: Investigation,
  subject: Subject,
): Promise<{ conclusion: Conclusion; parts: Parts }> {
  switch (subject.kind) {
    case 'message': {
      if (subject.rows.length > 0) {
        const found = await explainRows(inv, subject.rows);
        const conclusion = concludeRows(inv, subject.id, found);
        await inv.confirmMany(copiesOf(subject.rows));
        return {
          conclusion,
          parts: { messages: found.messages, facts: found.facts, pending: found.pending },
        };
      }
      const found = await explainUnstored(inv, subject.id);
      const inside = decodeWamid(subject.id);
      const ids = inside === undefined ? [subject.id] : [subject.id, inside.stanzaId];
      const journal = await journalOfMessage(inv, null, ids);
      return {
        conclusion: concludeUnstored(inv, subject.id, found, journal),
        parts: { facts: found.facts, pending: found.pending, journal },
      };
    }
    case 'contact': {
      const found = await explainContact(inv, subject.typed);
      const { contact, facts, pending } = found;
      return { conclusion: concludeContact(inv, subject.typed, found), parts: { contact, facts, pending } };
    }
    case 'entry': {
      const found = await explainEntry(inv, subject.entry);
      return { conclusion: concludeEntry(inv, found), parts: { entry: found.entry, facts: found.facts } };
    }
    case 'gone_entry': {
      const { id, records } = subject;
      const runId = records.find((record) => record.runId !== null)?.runId ?? null;
      await inv.adviseSource({ id, runId, origin: null });
      return { conclusion: concludeGone(id, records), parts: {} };
    }
    case 'run': {
      const { run } = subject;
      const records = await countRunRecords(inv.sql, run.id);
      const { options, counters, error } = run;
      const note = runNote(run);
      return {
        conclusion: {
          verdict: `The ${run.command} of ${note.startedAt.slice(0, 16).replace('T', ' ')} UTC: ${run.verdict ?? run.status}${run.error === null ? '' : `; ${run.error}`}.`,
          known: true,
          findings: [],
        },
        parts: { run: { ...note, options, counters, error, ...records } },
      };
    }
  }
}

/** How many rows of an id are beyond the first one, by connection. */
function copiesOf(rows: readonly { connectionId: string }[]): Map<string, number> {
  const copies = new Map<string, number>();
  for (const { connectionId } of rows) copies.set(connectionId, (copies.get(connectionId) ?? -1) + 1);
  return copies;
}

export interface EntryFindings {
  entry: EntryExplanation;
  verdicts: ItemVerdict[];
  facts: ExplainedFact[];
  /** It is found by other contacts, numbers or fields than its body names. */
  isMisfiled: boolean;
  /** Parts in an unknown format, or with a bad signature. */
  unread: { path: string; reason: string }[];
  /** Bodies that were applied before their signature could be checked. */
  unchecked: number;
}

/** Explains one raw entry: its items, and the outcome of each. */
async function explainEntry(inv: Investigation, found: LoggedEntry): Promise<EntryFindings> {
  const [logged] = await inv.decode([found], (entry) => entry);
  const verdicts = await inv.verdictsOn(logged?.items ?? []);
  const [run] = await inv.runs([found.runId]);
  const brought = await explainUnchecked(inv, found);
  const facts = [...verdicts, ...brought].map((verdict) => inv.view(verdict));
  const unread = (logged?.unrecognized ?? []).map(({ path, reason }) => ({ path, reason }));
  if (logged?.failure != null && found.isIntact) unread.push({ path: '$', reason: logged.failure });
  if (!found.isIntact) await inv.adviseSource(found);
  else if (isBroken({ unread })) {
    await inv.adviseSource(found, 'replay_export');
    inv.remedy({ do: 'discard', subject: `log:${found.id}` });
  }
  return {
    entry: {
      id: found.id,
      origin: originOf(found),
      provider: found.provider,
      status: found.status,
      error: found.error,
      fields: found.fields,
      phoneNumberIds: found.phoneNumberIds,
      receivedAt: rfc3339(found.receivedAt),
      storedAt: rfc3339(found.createdAt),
      processedAt: rfc3339(found.processedAt),
      attempts: found.attempts,
      bytes: found.bytes,
      isIntact: found.isIntact,
      bodyState: found.bodyState,
      bodyRunId: found.bodyRunId,
      run: run ?? null,
    },
    verdicts,
    isMisfiled: logged?.isMisfiled === true,
    facts: [...facts, ...unread.map(({ path, reason }) => ({ ...unreadableView(found, reason), path }))],
    unread,
    unchecked: found.unchecked.length,
  };
}

/** What bodies brought that were applied before their signature could be checked, as far as it is still there. */
async function explainUnchecked(inv: Investigation, found: LoggedEntry): Promise<ItemVerdict[]> {
  if (found.unchecked.length === 0) return [];
  const [decoded] = await inv.log.decode([{ ...found, refused: [] }]);
  if (decoded === undefined) return [];
  const sections = decoded.sections.filter(({ section }) => isRefused(section, found.unchecked));
  const { items } = readItems({ ...decoded, sections }, inv.log);
  return (await inv.verdictsOn(items)).filter(({ outcome }) => !PROBLEMS.some((one) => one === outcome));
}
