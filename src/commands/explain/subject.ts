import { isWamid } from '../../identity/wamid.js';
import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import {
  findMessageRow,
  findMessages,
  type ExplainedMessage,
  findEntriesByOrigin,
} from '../../store/queries/explain.js';
import { readRecordsOf, type GoneRecord } from '../../store/checks/gone-entries.js';
import { readPendingOf } from '../../store/tables/amendments.js';
import { readEntryHeads, readLoggedEntries, type LoggedEntry } from '../../store/tables/stored-entries.js';
import { readRunsById, type RunRow } from '../../store/tables/sync-runs.js';
import { resolveContact } from '../contacts/resolve-contact.js';
import { CONTACT_FORMS, parseContact } from '../contacts/typed-contact.js';
import { originOf } from './fact-view.js';
import type { Investigation } from './investigation.js';
import type { ExplainKind } from './result.js';

/** What the typed word means. */
export type Subject =
  | { kind: 'message'; id: string; rows: ExplainedMessage[] }
  | { kind: 'contact'; typed: string }
  | { kind: 'entry'; entry: LoggedEntry }
  /** No longer in the raw log; identified by the records about it. */
  | { kind: 'gone_entry'; id: string; records: readonly GoneRecord[] }
  | { kind: 'run'; run: RunRow };

/** The accepted forms, for errors. */
const FORMS = `a message id (wamid… or a key id of WhatsApp Web), ${CONTACT_FORMS}, log:<entry id>, file:line or a run id`;

/** The ids of this database's rows. */
const UUID_FORM = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** `webhooks.ndjson:12`, `hooks.json:1[3]`. */
const PLACE = /^.*[^\d:]:\d+(?:\[\d+\])?$/;
/** Key ids are letters and digits; longer or odd ones have been seen, none with white space. */
const WORD = /^[\w.@:=+/-]{2,512}$/;

/**
 * Determines what a typed word means, by its form and by the database. Throws ConfigError `unknown_subject` for an
 * unknown form, and `ambiguous_subject` if it is two things at once and `as` does not choose.
 */
export async function findSubject(inv: Investigation): Promise<Subject> {
  const typed = inv.options.subject.trim();
  const { as } = inv.options;
  if (typed.startsWith('log:')) return entrySubject(inv, typed.slice('log:'.length));
  if (isWamid(typed)) return messageSubject(inv, typed);
  if (UUID_FORM.test(typed)) return rowSubject(inv, typed.toLowerCase(), as);
  switch (as) {
    case 'message':
      return messageSubject(inv, typed);
    case 'contact':
      return { kind: 'contact', typed };
    case 'entry':
      return placeSubject(inv, typed);
    case 'run':
      throw unknown(typed, 'A run is named by its id.');
    case undefined:
      break;
  }
  return wordSubject(inv, typed);
}

async function wordSubject(inv: Investigation, typed: string): Promise<Subject> {
  const rows = WORD.test(typed) ? await findMessages(inv.sql, typed, inv.connectionIds) : [];
  const contact = isContact(typed);
  if (rows.length > 0 && contact && (await isKnownContact(inv, typed))) {
    throw ambiguous(typed, ['message', 'contact']);
  }
  if (rows.length > 0) return { kind: 'message', id: typed, rows };
  if (contact) return { kind: 'contact', typed };
  if (PLACE.test(typed)) return placeSubject(inv, typed);
  if (WORD.test(typed)) return { kind: 'message', id: typed, rows };
  throw unknown(typed);
}

async function messageSubject(inv: Investigation, id: string): Promise<Subject> {
  return { kind: 'message', id, rows: await findMessages(inv.sql, id, inv.connectionIds) };
}

/** A row of this database: a message, a lead, a raw entry or a run. */
async function rowSubject(inv: Investigation, id: string, as: ExplainKind | undefined): Promise<Subject> {
  const wants = (kind: ExplainKind): boolean => as === undefined || as === kind;
  if (wants('message')) {
    const row = await findMessageRow(inv.sql, id);
    if (row !== null) return { kind: 'message', id, rows: [row] };
  }
  if (wants('entry')) {
    const [entry] = await readLoggedEntries(inv.sql, [id]);
    if (entry !== undefined) return { kind: 'entry', entry };
  }
  if (wants('run')) {
    const [run] = await readRunsById(inv.sql, [id]);
    if (run !== undefined) return { kind: 'run', run };
  }
  if (wants('contact') && (await isKnownContact(inv, id))) return { kind: 'contact', typed: id };
  if (as === 'message' || as === undefined) {
    // Some programs use uuids as message ids, and some ids appear only in a status that waits for its message.
    const rows = await findMessages(inv.sql, id, inv.connectionIds);
    const keys = inv.connectionIds.map((connectionId) => ({ connectionId, id }));
    if (as === 'message' || rows.length > 0 || (await readPendingOf(inv.sql, keys)).length > 0)
      return { kind: 'message', id, rows };
  }
  throw unknown(id, 'No message, lead, raw entry or run of this database has this id.');
}

async function entrySubject(inv: Investigation, id: string): Promise<Subject> {
  const [entry] = UUID_FORM.test(id) ? await readLoggedEntries(inv.sql, [id.toLowerCase()]) : [];
  if (entry !== undefined) return { kind: 'entry', entry };
  const records = UUID_FORM.test(id) ? await readRecordsOf(inv.sql, id.toLowerCase()) : [];
  if (records.length > 0) return { kind: 'gone_entry', id: id.toLowerCase(), records };
  throw unknown(`log:${id}`, 'No raw entry of this database has this id.');
}

async function placeSubject(inv: Investigation, place: string): Promise<Subject> {
  const found = await findEntriesByOrigin(inv.sql, place);
  const [first, second] = found;
  if (first === undefined) {
    throw unknown(
      place,
      `No stored entry comes from ${place}. The same entry may have been read from another file first.`,
    );
  }
  if (second !== undefined) {
    const heads = await readEntryHeads(
      inv.sql,
      found.slice(0, 10).map(({ id }) => id),
    );
    throw new ConfigError(
      [
        `${found.length} raw entries were seen at '${place}':`,
        ...heads.map((head) => `log:${head.id}  ${originOf(head)}`),
      ].join('\n  '),
      { code: 'ambiguous_subject', remedy: remedy('explain', [`log:${first.id}`], 'explains one of them') },
    );
  }
  const [entry] = await readLoggedEntries(inv.sql, [first.id]);
  if (entry === undefined) throw unknown(place);
  return { kind: 'entry', entry };
}

function isContact(typed: string): boolean {
  try {
    parseContact(typed);
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

async function isKnownContact(inv: Investigation, typed: string): Promise<boolean> {
  try {
    return (await resolveContact(inv.sql, typed)).leads.length > 0;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

function ambiguous(typed: string, kinds: readonly ExplainKind[]): ConfigError {
  return new ConfigError(`'${typed}' is the id of a ${kinds.join(' and of a ')}.`, {
    code: 'ambiguous_subject',
    remedy: `Say which: ${kinds.map((kind) => `--as ${kind}`).join(' or ')}.`,
    inProgram: `Say which in the option as: ${kinds.join(' or ')}.`,
  });
}

function unknown(typed: string, why?: string): ConfigError {
  return new ConfigError(why ?? `'${typed}' is not a valid subject.`, {
    code: 'unknown_subject',
    remedy: `Give ${FORMS}.`,
  });
}
