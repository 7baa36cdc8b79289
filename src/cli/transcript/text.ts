import type { ExportedConversation, ExportedMessage } from '../../commands/export/types.js';
import type { csvText } from '../ui/csv.js';
import { sanitize } from '../ui/sanitize.js';
import { clockOf } from './clock.js';
import type { FormWriter, IndexWriter, WrittenMessage } from './form.js';
import { linesOf } from './harmless.js';
import {
  countOf,
  fileWords,
  isSystem,
  markOf,
  nameOf,
  notesOf,
  partiesOf,
  quoteOf,
  reactorOf,
  senderOf,
} from './words.js';

/** Under a message's first line: no text that somebody sends can look like a message of its own. */
const INDENT = '    ';

/** A conversation as plain text: a line per message, and what belongs to it indented under it. */
export function textWriter({ timeZone, media }: { timeZone: string; media: boolean }): FormWriter {
  const clock = clockOf(timeZone);
  let conversation: ExportedConversation | undefined;
  let day = '';
  let connection = '';
  function message({ message: one, link }: WrittenMessage, among: ExportedConversation): string[] {
    const { day: today, time, offset } = clock(one.timestamp);
    const lines: string[] = [];
    if (today !== day) lines.push('', `── ${today} ──`);
    day = today;
    if (among.connections.length > 1 && one.connection !== connection) lines.push(`on ${one.connection}`);
    connection = one.connection;
    const who = isSystem(one) ? '' : `${senderOf(one, among)}: `;
    const [first = '', ...rest] = saidIn(one);
    lines.push(`[${time} ${offset}] ${who}${first}`);
    const under = [...rest, ...aboutOf(one, among, link)];
    return [...lines.map(sanitize), ...under.map((line) => `${INDENT}${sanitize(line)}`.trimEnd())];
  }
  /** What is said about a message. */
  function aboutOf(one: ExportedMessage, among: ExportedConversation, link: string | null): string[] {
    const quote = quoteOf(one, among);
    const notes = notesOf(one, clock);
    return [
      ...(quote === null ? [] : linesOf(quote).map((line) => `> ${line}`)),
      ...(one.file === null ? [] : [link === null ? `[${fileWords(one.file, media)}]` : `[file: ${link}]`]),
      ...one.revisions.flatMap(({ type, body, media: file, at }) => {
        const { day: then, time, offset } = clock(at);
        const mark = markOf(type, file, body);
        const said = [...(mark === null ? [] : [`[${mark}]`]), ...(body === null ? [] : linesOf(body))];
        return [`(said ${then}, ${time} ${offset}:`, ...said.map((line) => `  ${line}`), ')'];
      }),
      ...(one.reactions ?? []).map(({ emoji, from }) => `(${emoji} ${reactorOf(from, among)})`),
      ...(notes.length === 0 ? [] : [`(${notes.join('; ')})`]),
    ];
  }
  return {
    begin: (begun) => {
      const before = conversation === undefined ? '' : '\n';
      conversation = begun;
      day = '';
      connection = '';
      return `${before}${sanitize(partiesOf(begun))}\n${sanitize(countOf(begun, timeZone))}\n`;
    },
    messages: (messages) => {
      const among = conversation;
      if (among === undefined) throw new Error('a message before its conversation');
      return messages.map((one) => `${message(one, among).join('\n')}\n`).join('');
    },
    end: () => '',
  };
}

function saidIn({ type, body, media, deletedAt }: ExportedMessage): string[] {
  if (deletedAt !== undefined) return ['[revoked]'];
  const mark = markOf(type, media, body);
  const [first = '', ...rest] = body === null ? [] : linesOf(body);
  return [mark === null ? first : `[${mark}] ${first}`.trimEnd(), ...rest];
}

/** A line per file, between tabs: a spreadsheet opens it as a table, in which a name is as harmless as in CSV. `stringify`: see csvText. */
export function textIndex(stringify: typeof csvText): IndexWriter {
  return {
    begin: () => '',
    entry: ({ conversation, file }) =>
      stringify(
        null,
        [
          [file, nameOf(conversation), conversation.contact.phone ?? '', String(conversation.messages)].map(
            sanitize,
          ),
        ],
        { words: 'strangers', separator: '\t' },
      ),
    end: () => '',
  };
}
