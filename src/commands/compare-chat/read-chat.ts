import { Readable } from 'node:stream';
import type { DateOrder } from '../../inputs/exports/chat-dates.js';
import { ChatTextReader, looksLikeChatText, type ChatText } from '../../inputs/exports/chat-text.js';
import { openText } from '../../inputs/open-text.js';
import { resolveInputs, type ResolvedInput } from '../../inputs/resolve-inputs.js';
import { ConfigError } from '../../model/errors.js';

/** A chat export as it was read, before its owner is known. */
export interface ReadChat {
  chat: ChatText;
  /** The file, or the one in an archive: `export.zip/_chat.txt`. */
  path: string;
}

const CHUNK = 64 * 1024;
/** The largest possible export has 40,000 messages; the size check rejects a log file before it fills memory. */
const LARGEST_CHARACTERS = 200 * 1024 * 1024;

/**
 * Reads the one chat in a WhatsApp text or zip. Throws ConfigError for no chat, for several, and for dates whose day
 * and month are ambiguous.
 */
export async function readChat(
  file: string,
  { cwd, order, signal }: { cwd: string; order?: DateOrder | undefined; signal: AbortSignal },
): Promise<ReadChat> {
  const found: ReadChat[] = [];
  for (const input of await resolveInputs([file], { cwd })) {
    const chat = await readIfChat(input, order, signal);
    if (chat !== undefined && input.kind === 'file') found.push({ chat, path: input.path });
  }
  const [first, second] = found;
  if (first === undefined) {
    throw new ConfigError(`${file} is no chat that WhatsApp has exported.`, {
      code: 'no_chat_export',
      remedy: 'On the phone: open the chat, ⋮ or the contact’s name, Export chat. Give the .zip or .txt.',
    });
  }
  if (second !== undefined) {
    throw new ConfigError([`${file} holds several chats:`, ...found.map(({ path }) => path)].join('\n  '), {
      code: 'several_chats',
      remedy: 'Give one of them.',
    });
  }
  assertDated(first);
  return first;
}

async function readIfChat(
  input: ResolvedInput,
  order: DateOrder | undefined,
  signal: AbortSignal,
): Promise<ChatText | undefined> {
  const text = await openText(input, 0, {
    stdin: Readable.from([]),
    signal,
    chunkBytes: CHUNK,
    onRead: () => undefined,
  });
  if (text.kind !== 'text') {
    if (text.kind !== 'unreadable') await text.close();
    return undefined;
  }
  if (!looksLikeChatText(text.head.toString('utf8'))) {
    await text.close();
    return undefined;
  }
  const reader = new ChatTextReader(order === undefined ? {} : { order });
  const decoder = new TextDecoder();
  let characters = 0;
  for await (const chunk of text.chunks) {
    const piece = decoder.decode(chunk, { stream: true });
    characters += piece.length;
    if (characters > LARGEST_CHARACTERS) throw new ConfigError('This file is too long for an exported chat.');
    reader.push(piece);
  }
  reader.push(decoder.decode());
  return reader.end();
}

function assertDated({ chat: { dates }, path }: ReadChat): void {
  switch (dates.kind) {
    case 'certain':
      return;
    case 'ambiguous':
      throw new ConfigError(
        `${path}:${dates.line}: ${dates.written} is ambiguous, and no other date of the chat resolves it.`,
        {
          code: 'date_order_ambiguous',
          remedy: `Give --date-order: ${dates.candidates.join(' or ')}, as the phone writes dates.`,
        },
      );
    case 'contradictory':
      throw new ConfigError(
        [
          `${path}: no order of day, month and year fits every date:`,
          ...dates.refuted.map(({ order, line, written }) => `${order}: not line ${line}, ${written}`),
        ].join('\n  '),
        { code: 'date_order_contradictory', remedy: 'Give a chat as the phone has exported it.' },
      );
  }
}
