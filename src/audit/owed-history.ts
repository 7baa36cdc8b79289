import { parseJid } from '../identity/jid.js';
import { canonicalPhone } from '../identity/phone.js';
import { amount } from '../model/amount.js';
import { remedy, type Remedy } from '../model/remedy.js';
import { minuteOf } from '../model/time.js';
import type { HistoryGap, OwedHistory } from '../store/tables/history.js';

/** What is owed, as far as it is put into words. */
type Owed = Pick<OwedHistory, 'files' | 'gaps' | 'error' | 'named'>;

/** What a linked device's phone has and did not deliver: files it announced, parts left out of its answers. */
export function owedHistoryWords({ files, gaps, error, named }: Owed): string {
  const reason = error === null ? '' : ` (${error})`;
  const more = gaps - named.length;
  const parts = [
    ...(files === 0 ? [] : [`${amount(files, 'file')} of history could not be downloaded${reason}`]),
    ...named.map((gap) => gapWords(gap)),
    ...(more > 0
      ? [`${amount(more, named.length === 0 ? 'part' : 'other part')} of chats may be missing`]
      : []),
  ];
  return parts.join('; ');
}

/** The contact with missing messages, and the time range; an unproved gap only may be one. */
export function gapWords(gap: HistoryGap): string {
  const { anchor, behind } = gap;
  const where =
    behind === null
      ? `before ${minuteOf(anchor.timestampMs)}`
      : `between ${minuteOf(behind.timestampMs)} and ${minuteOf(anchor.timestampMs)}`;
  return `messages of ${contactOfGap(gap)} ${where} ${isProven(gap) ? 'are' : 'may be'} missing`;
}

/** Whether messages are known to be missing: a file or a chunk did not arrive. Otherwise they are only suspected. */
export function isProven({ reason }: Pick<HistoryGap, 'reason'>): boolean {
  return reason === 'file' || reason === 'chunk';
}

/** The chat's contact, in the form every command takes: a number if known, else the LID. */
export function contactOfGap({ chatJid, otherJid }: Pick<HistoryGap, 'chatJid' | 'otherJid'>): string {
  for (const jid of [chatJid, otherJid ?? '']) {
    const { kind, user } = parseJid(jid);
    const phone = kind === 'user' ? canonicalPhone(user) : undefined;
    if (phone !== undefined) return phone;
  }
  return chatJid;
}

/** Downloads the files that a connection owes. */
export function linkAgain(connection: string): Remedy {
  return remedy('link', ['--connection', connection], 'downloads the missing files again');
}

/** Requests what an answer left out. */
export function importAgain(connection: string, contact: string): Remedy {
  return remedy(
    'import',
    [contact, '--connection', connection, '--phase', 'fetch', '--force'],
    'requests the missing messages again',
  );
}

/** What delivers what a connection is owed, files first; each command once. */
export function owedRemedies(connection: string, { files, named }: Pick<Owed, 'files' | 'named'>): Remedy[] {
  const contacts = new Set(named.map(contactOfGap));
  return [
    ...(files === 0 ? [] : [linkAgain(connection)]),
    ...[...contacts].map((contact) => importAgain(connection, contact)),
  ];
}
