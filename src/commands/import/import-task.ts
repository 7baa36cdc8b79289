import { randomBytes } from 'node:crypto';
import type { Context } from '../../context.js';
import { workOf } from '../../ingest/runs/with-run.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { nameDigests } from '../../store/tables/run-cover.js';
import { erasedAt, erasedWords } from '../contacts/erased-people.js';
import { chooseConnection, findSubject } from './subject.js';
import type { ImportOptions } from './types.js';

/** What a run over one contact records of its task, without a number. */
export interface ImportTask {
  /** As far as a replay could do it; null if it is about the phone, of which the contact's log tells. */
  work: string | null;
  /** Null for a contact that is no lead yet. */
  leadId: string | null;
}

/**
 * The task of an import, before anything is done. A contact without a lead has nothing to go back from: all that there may be
 * of it waits in the raw log. Throws ConfigError for what cannot be a contact or matches several, and if it is open over
 * which connection to ask.
 */
export async function taskOf(
  ctx: Context,
  { contact, phase }: Pick<ImportOptions, 'contact' | 'phase'>,
  named: ConnectionRow | null,
): Promise<ImportTask> {
  const { sql } = ctx.store;
  // What it has to say is said by the import.
  const silent = { ...ctx, emit: () => undefined };
  const subject = await findSubject(silent, sql, contact, named?.organizationId);
  const connection = named?.id;
  if (subject.lead === null) {
    // Without the key nobody can tell, and the answer says so.
    const said = erasedWords(subject.typed, await erasedAt(sql, [...subject.names], ctx.secretKey));
    if (said !== null) ctx.emit({ event: 'notice', message: said });
    const salt = randomBytes(8).toString('hex');
    const names = nameDigests(salt, subject.names);
    return { work: workOf('log failed', { connection, salt, names }), leadId: null };
  }
  const { leadId } = subject.lead;
  if (phase === 'cache') return { work: workOf('log all', { connection, lead: leadId }), leadId };
  await chooseConnection(sql, subject, connection);
  return { work: null, leadId };
}
