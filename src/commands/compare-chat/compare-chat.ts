import { basename } from 'node:path';
import type { Context } from '../../context.js';
import type { ChatItem, ChatText } from '../../inputs/exports/chat-text.js';
import { isChatExportId } from '../../model/chat-line.js';
import { amount } from '../../model/amount.js';
import { ConfigError } from '../../model/errors.js';
import { alignChat, type ChatAlignment } from '../../rules/align-chat.js';
import { boundsOf, precisionOf, type ChatClock } from '../../rules/chat-clock.js';
import { textKey, type ChatLine, type StoredMessage } from '../../rules/chat-content.js';
import { groupBy } from '../../rules/group-by.js';
import { readComparedMessages, readEarlierTexts } from '../../store/queries/chat-messages.js';
import {
  readConversationsOfLead,
  readMessageBounds,
  type ConversationOfLead,
} from '../../store/queries/message-pages.js';
import type { Sql } from '../../store/sql.js';
import { inSnapshot } from '../../store/transactions.js';
import { recordAccess } from '../access/record-access.js';
import { findConnection } from '../connections/find.js';
import { resolveContact, theOneLead, type ContactLead } from '../contacts/resolve-contact.js';
import { adoptChat } from './adopt.js';
import { saidIn } from './chat-lines.js';
import { readChat, type ReadChat } from './read-chat.js';
import { describeResult, offsetText, tellItems } from './result.js';
import { phoneInChat, possibleSides, sidesOf, unknownSides, type Sides } from './sides.js';
import type { CompareChatOptions, CompareChatResult } from './types.js';

const HOUR = 3_600_000;
/** No time zone is further from UTC, and a text may be stored with its arrival time. */
const MARGIN = 16 * HOUR;
const PAGE = 2000;

/**
 * Compares a chat exported from a phone with the stored conversation: what the phone has and the database lacks. Reads
 * one snapshot and changes nothing, unless asked to adopt what is missing. Keeps stored texts as short keys, so memory
 * grows only with the number of messages in the chat's time span. Throws ConfigError if it cannot determine the
 * contact, the connection, the sides or the phone's clock.
 */
export async function compareChat(ctx: Context, options: CompareChatOptions): Promise<CompareChatResult> {
  const began = ctx.clock();
  const read = await readChat(options.file, {
    cwd: options.cwd,
    order: options.dateOrder,
    signal: ctx.signal,
  });
  const { lead, conversation } = await findConversation(ctx, options, read);
  const stored = await inSnapshot(ctx.store, (sql) => readStored(sql, conversation, timesOf(read.chat)));
  const { lines, unspoken, result } = align(read, lead, stored.messages, options);
  if (result.clock.source === 'none' && stored.messages.length > 0) throw unknownClock();
  if (options.timeZone !== undefined && result.clock.source === 'texts') {
    ctx.emit({ event: 'notice', message: overruledZone(options.timeZone, result.clock) });
  }
  const items = new Map(read.chat.items.map((item) => [item.line, item]));
  const told = { read, lead, conversation, lines, unspoken, result, items, stored, options };
  if (options.bodies === true) {
    const shown = [{ leadId: lead.leadId, messages: lines.length }];
    await recordAccess(ctx, { command: 'compare chat-export', shown });
  }
  if (options.onItem !== undefined) await tellItems(told, options.onItem);
  if (options.adopt !== undefined && result.lost.length > 0 && result.clock.source === 'none')
    throw unknownClock();
  if (options.adopt !== undefined && result.lost.length > 0 && isAnotherChat(told)) throw notThisChat(told);
  const adopted = options.adopt === undefined ? null : await adoptChat(ctx, told, options.adopt);
  return describeResult(told, {
    adopted,
    isInterrupted: ctx.signal.aborted,
    database: ctx.store.location,
    durationMs: ctx.clock() - began,
  });
}

/** Everything the result reports on. */
export interface Told {
  read: ReadChat;
  lead: ContactLead;
  conversation: ConversationOfLead;
  lines: readonly ChatLine[];
  unspoken: number;
  result: ChatAlignment;
  items: ReadonlyMap<number, ChatItem>;
  stored: Stored;
  options: CompareChatOptions;
}

async function findConversation(
  ctx: Context,
  options: CompareChatOptions,
  { chat, path }: ReadChat,
): Promise<{ lead: ContactLead; conversation: ConversationOfLead }> {
  const { sql } = ctx.store;
  const connection =
    options.connection === undefined ? undefined : await findConnection(ctx, options.connection);
  const typed = options.contact ?? phoneInChat(chat.senders, `${basename(options.file)} ${basename(path)}`);
  if (typed === undefined) {
    throw new ConfigError('The chat names the contact, but not by a number.', {
      code: 'contact_missing',
      remedy: 'Give --contact with the contact’s phone.',
    });
  }
  const contact = await resolveContact(
    sql,
    typed,
    connection === undefined ? {} : { organizationId: connection.organizationId },
  );
  if (contact.notice !== undefined) ctx.emit({ event: 'notice', message: contact.notice });
  const lead = await theOneLead(sql, contact, ctx.secretKey);
  const [conversation, other, ...more] = await readConversationsOfLead(sql, lead.leadId, connection?.id);
  if (conversation === undefined) {
    throw new ConfigError(
      connection === undefined
        ? 'Nothing is stored of any conversation with this contact.'
        : `Nothing is stored of a conversation with this contact on ${connection.name}.`,
      { code: 'no_conversation', remedy: 'Give another --contact or --connection, or replay the log first.' },
    );
  }
  if (other !== undefined) {
    const names = [conversation, other, ...more].map(({ connectionName }) => connectionName);
    throw new ConfigError(`The contact has conversations on several connections: ${names.join(', ')}.`, {
      code: 'connection_ambiguous',
      remedy: 'Give --connection NAME: the one whose phone the chat was exported from, or wrote with it.',
    });
  }
  return { lead, conversation };
}

function timesOf({ items }: ChatText): { from: number; to: number } {
  const { first, last } = boundsOf(items.flatMap(({ localTime }) => localTime ?? []));
  return { from: first - MARGIN, to: last + MARGIN };
}

const MINUTE = 60_000;

/** What the database has of the conversation in the chat's time span. */
export interface Stored {
  messages: StoredMessage[];
  externalIds: ReadonlyMap<string, string | null>;
  /** Ids of the rows created from an exported chat. */
  madeUp: ReadonlySet<string>;
  /** When the oldest message of the conversation was sent, inside the window or before it. */
  first: number | null;
}

async function readStored(
  sql: Sql,
  conversation: ConversationOfLead,
  window: { from: number; to: number },
): Promise<Stored> {
  const { first } = await readMessageBounds(sql, [conversation.id]);
  const messages: StoredMessage[] = [];
  const externalIds = new Map<string, string | null>();
  const madeUp = new Set<string>();
  if (window.from > window.to) return { messages, externalIds, madeUp, first };
  for (let after: { timestamp: number; id: string } | undefined; ;) {
    const rows = await readComparedMessages(sql, conversation.id, window, after, PAGE);
    const amended = rows.filter(({ editedAt, deletedAt }) => editedAt !== null || deletedAt !== null);
    const earlier = await readEarlierTexts(
      sql,
      amended.map(({ id }) => id),
    );
    const texts = groupBy(earlier, ({ messageId }) => messageId);
    for (const row of rows) {
      const said = [row.body, ...(texts.get(row.id) ?? []).map(({ body }) => body)];
      externalIds.set(row.id, row.externalId);
      if (row.externalId !== null && isChatExportId(row.externalId)) madeUp.add(row.id);
      messages.push({
        id: row.id,
        at: row.timestamp,
        direction: row.direction,
        type: row.type,
        texts: said.flatMap((text) => (text === null || text === '' ? [] : [textKey(text)])),
        fileName: row.fileName,
        isEdited: row.editedAt !== null,
        isRevoked: row.deletedAt !== null,
        isToTheMinute: madeUp.has(row.id) && row.timestamp % MINUTE === 0,
      });
    }
    after = rows.at(-1);
    if (rows.length < PAGE) return { messages, externalIds, madeUp, first };
  }
}

interface Aligned {
  lines: readonly ChatLine[];
  unspoken: number;
  result: ChatAlignment;
}

function align(
  { chat, path }: ReadChat,
  lead: ContactLead,
  messages: readonly StoredMessage[],
  { me, file, timeZone }: CompareChatOptions,
): Aligned {
  const by = (sides: Sides): Aligned => {
    const { lines, unspoken } = saidIn(chat, (sender) => sides.get(sender));
    const result = alignChat(lines, messages, { precision: precisionOf(chat), timeZone });
    return { lines, unspoken, result };
  };
  const known = sidesOf(chat.senders, {
    me,
    names: [lead.name],
    phones: [lead.phone ?? '', ...lead.identities.map(({ value }) => value)],
    fileName: [file, path].map((name) => basename(name)).find((name) => !/^_chat\.txt$/i.test(name)) ?? '',
  });
  if (known !== undefined) return by(known);
  // Neither name is known: only one assignment of sides fits the conversation's texts.
  const [best, other] = possibleSides(chat.senders)
    .map(by)
    .sort((a, b) => b.result.matched.length - a.result.matched.length);
  const isClear =
    best !== undefined && best.result.matched.length > 2 * (other?.result.matched.length ?? 0) + 2;
  if (!isClear) throw unknownSides(chat.senders);
  return best;
}

/** The phone may have been in another zone: texts that both sides have outweigh a zone that fits none of them. */
function overruledZone(timeZone: string, { agreeing, anchors, spans }: ChatClock): string {
  const shown = [...new Set(spans.map(({ offset }) => offsetText(offset)))].slice(0, 4).join(', ');
  const by =
    anchors === 0
      ? 'the texts that both sides have'
      : `${agreeing} of ${amount(anchors, 'unique text')} of both sides`;
  return `The zone ${timeZone} is not used: by ${by} the phone’s clock shows ${shown}.`;
}

/** Nothing of the chat is in a conversation that has messages of that time. */
function isAnotherChat({ result, stored }: Told): boolean {
  return result.matched.length === 0 && stored.messages.length > 0;
}

function notThisChat({ lines, lead }: Told): ConfigError {
  return new ConfigError(
    `None of ${amount(lines.length, 'line')} of the chat is in the conversation with ${lead.phone ?? lead.name ?? lead.leadId}: nothing was stored.`,
    {
      code: 'another_chat',
      remedy:
        'Check --contact, --connection and --tz, or export the whole chat: it has to show something that is stored.',
    },
  );
}

function unknownClock(): ConfigError {
  return new ConfigError(
    'The time zone of the phone’s clock is unknown: chat and database have too little in common.',
    { code: 'clock_unknown', remedy: 'Give --tz ZONE, for example America/Sao_Paulo.' },
  );
}
