import { decodeWamid, isWamid } from '../../identity/wamid.js';
import type { IncludableChat, MessageStatus } from '../../model/enumerations.js';
import type {
  Fact,
  Identities,
  MessageContent,
  MessageFact,
  MessageOrigin,
  RejectedFact,
  SkippedFact,
} from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { amountText, moneyText } from '../contents/wording.js';
import { asArray, asObject, externalIdOf, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import { rejected, skipped, skippedChat } from './outcomes.js';
import { personKey, type Party, type People } from './people.js';
import { enumOf } from './proto-values.js';
import { readContent, readContext, readReaction, type Content } from './read-content.js';

/** Shared data of one event's messages. */
export interface Batch {
  people: People;
  include: ReadonlySet<IncludableChat>;
  origin: 'live' | 'history';
  isSyncInitial: boolean;
  /** When the event came, if known: ms since 1970. */
  receivedAt: number | undefined;
  /** Facts go here, in the order of the items. */
  facts: Fact[];
  /** Called with the sender's name of an inbound one-to-one message. */
  noteName: (who: Identities, name: string, at: number, path: string) => void;
}

/** The content of an item that is not skipped. */
type Said = Exclude<Content, { kind: 'skip' | 'untargeted' }>;

/** An item with known chat, id and time. */
interface Item {
  message: JsonObject;
  path: string;
  id: string;
  fromMe: boolean;
  counterpart: Identities;
  /** The author in a group or broadcast; absent in a one-to-one chat. */
  participant: Party | undefined;
  at: number;
  atIsReceivedAt: boolean;
}

/**
 * One element of `messages` gives exactly one fact about itself, so that the counts balance: a message, an edit, a
 * revoke, a reaction, or a skip or rejection with its reason. The `reactions` of a message give further facts. Returns
 * the item's time, for facts without their own.
 */
export function decodeMessage(element: JsonValue, path: string, batch: Batch): number | undefined {
  const judged = judge(element, path, batch);
  if (judged.kind !== 'item') {
    batch.facts.push(judged);
    return undefined;
  }
  const { item, content } = judged;
  batch.facts.push(factOf(batch, item, content));
  if (content.kind === 'message') addReactions(batch, item);
  if (item.participant === undefined && !item.fromMe) {
    const name = textOf(item.message.pushName) ?? textOf(item.message.verifiedBizName);
    if (name !== undefined) batch.noteName(item.counterpart, name, item.at, `${path}.pushName`);
  }
  return item.atIsReceivedAt ? undefined : item.at;
}

/** Checks for what every item needs: a chat, a content, an id and a time. */
function judge(
  element: JsonValue,
  path: string,
  batch: Batch,
): SkippedFact | RejectedFact | { kind: 'item'; item: Item; content: Said } {
  const message = asObject(element);
  if (message === undefined) return rejected('message', 'not_an_object', path, element);
  const key = asObject(message.key);
  if (key === undefined) return rejected('message', 'missing_id', path, element);

  const chat = batch.people.resolve(key.remoteJid);
  const skip = skippedChat(chat.kind, batch.include);
  if (skip !== undefined) return skipped('message', skip, path);
  if (chat.kind === 'unknown') return rejected('message', 'missing_counterpart', path, element);

  // Messages between the devices of one account, such as the history notification.
  if (message.category === 'peer') return skipped('message', 'protocol', path);
  const body = asObject(message.message);
  if (body === undefined || isStub(message)) return skipped('message', 'stub', path);
  const content = readContent(body);
  if (content.kind === 'skip') return skipped('message', content.reason, path);

  if (content.kind === 'untargeted') return rejected(content.subject, 'missing_target', path, element);

  const id = externalIdOf(key.id);
  if (id === undefined) return rejected(content.kind, 'missing_id', path, element);
  const own = timeOf(message, content);
  const at = own ?? batch.receivedAt;
  if (at === undefined) return rejected(content.kind, 'bad_timestamp', path, element);

  const isOneToOne = chat.kind === 'user' || chat.kind === 'lid';
  const item: Item = {
    message,
    path,
    id,
    fromMe: key.fromMe === true,
    counterpart: isOneToOne ? chat.identities : { waId: chat.jid },
    participant: isOneToOne ? undefined : batch.people.resolve(key.participant ?? message.participant),
    at,
    atIsReceivedAt: own === undefined,
  };
  return { kind: 'item', item, content };
}

/** An edit and a reaction have their own time; their message's time is second best. */
function timeOf(message: JsonObject, content: Said): number | undefined {
  const own = content.kind === 'edit' || content.kind === 'reaction' ? content.at : undefined;
  return own ?? parseTimestamp(message.messageTimestamp);
}

function factOf(batch: Batch, item: Item, content: Said): Fact {
  const { path, at, counterpart } = item;
  switch (content.kind) {
    case 'message':
      return messageFact(batch, item, content);
    case 'edit':
      return {
        kind: 'edit',
        path,
        targetExternalId: content.target,
        editId: item.id,
        at,
        content: content.content,
        counterpart,
      };
    case 'revoke':
      return { kind: 'revoke', path, targetExternalId: content.target, at, counterpart };
    case 'reaction': {
      const { target: targetExternalId, emoji } = content;
      const reactor = reactorOf(item.fromMe, item.participant);
      const live = isLive(batch, item.fromMe);
      return { kind: 'reaction', path, targetExternalId, reactor, emoji, at, counterpart, live };
    }
  }
}

/** A reaction by the business creates no lead, live or not. */
function isLive(batch: Batch, fromMe: boolean): boolean {
  return batch.origin === 'live' && !fromMe;
}

function messageFact(batch: Batch, item: Item, content: Extract<Content, { kind: 'message' }>): MessageFact {
  const { message, fromMe } = item;
  const origin: MessageOrigin = batch.origin === 'history' ? 'history' : fromMe ? 'echo' : 'live';
  // Evolution API moves the context out of the content.
  const outer = readContext(asObject(message.contextInfo));
  const status = statusOf(message.status);
  const rawMeta: JsonObject = { ...outer.meta, ...content.meta };
  if (item.participant !== undefined && item.participant.jid !== '') {
    rawMeta.participant = item.participant.jid;
  }
  if (item.atIsReceivedAt) rawMeta.timestampFrom = 'received_at';
  return {
    kind: 'message',
    path: item.path,
    origin,
    externalId: item.id,
    ...stanzaOf(item.id),
    counterpart: item.counterpart,
    direction: fromMe ? 'OUTBOUND' : 'INBOUND',
    timestamp: item.at,
    grade: content.grade,
    isSyncInitial: batch.isSyncInitial,
    ...content.content,
    body: content.isLabel ? labelWith(content.content, message) : content.content.body,
    bodyIsLabel: content.isLabel ? true : undefined,
    contextExternalId: content.contextExternalId ?? outer.externalId,
    status: provenStatus(origin, status),
    historyStatus: origin === 'history' ? status : undefined,
    rawMeta: Object.keys(rawMeta).length === 0 ? undefined : rawMeta,
  };
}

/** A key id is its own stanza id; Evolution API's Cloud API instances put a wamid there, which contains it (M10). */
function stanzaOf(id: string): Pick<MessageFact, 'stanzaId' | 'wamidPhone'> {
  if (!isWamid(id)) return { stanzaId: id };
  const wamid = decodeWamid(id);
  return wamid === undefined ? {} : { stanzaId: wamid.stanzaId, wamidPhone: wamid.phone };
}

/** The amount of a payment is beside its content: `Payment: INR 100.00`. */
function labelWith({ type, body }: MessageContent, message: JsonObject): string | undefined {
  const payment = type === 'payment' ? asObject(message.paymentInfo) : undefined;
  if (payment === undefined || body === undefined || body.includes(':')) return body;
  const amount = moneyText(payment.primaryAmount) ?? amountText(payment.amount1000, 1000, payment.currency);
  return amount === undefined ? body : `${body}: ${amount}`;
}

/** `reactions: [{key, text, senderTimestampMs}]`: the reactions to a message that history lists with it. */
function addReactions(batch: Batch, item: Item): void {
  asArray(item.message.reactions)?.forEach((element, i) => {
    const path = `${item.path}.reactions[${i}]`;
    const reaction = asObject(element);
    if (reaction === undefined) {
      batch.facts.push(rejected('reaction', 'not_an_object', path, element));
      return;
    }
    const key = asObject(reaction.key);
    const fromMe = key?.fromMe === true;
    const participant = item.participant && batch.people.resolve(key?.participant);
    const { emoji, at = item.at } = readReaction(reaction);
    batch.facts.push({
      kind: 'reaction',
      path,
      targetExternalId: item.id,
      reactor: reactorOf(fromMe, participant),
      emoji,
      at,
      counterpart: item.counterpart,
      live: isLive(batch, fromMe),
    });
  });
}

/** The two sides of a conversation are `business` and `customer`; a group member is named. */
export function reactorOf(fromMe: boolean, participant: Party | undefined): string {
  if (fromMe) return 'business';
  if (participant === undefined) return 'customer';
  return personKey(participant.identities) || participant.jid || 'customer';
}

/** Whether WhatsApp replaced the message by a notice (undecryptable, missed call, group event). 0 is the default. */
function isStub(message: JsonObject): boolean {
  const type = message.messageStubType;
  return type !== undefined && type !== null && type !== 0 && type !== 'UNKNOWN' && type !== '';
}

/** proto.WebMessageInfo.Status */
const STATUS_NUMBERS = {
  ERROR: 0,
  PENDING: 1,
  SERVER_ACK: 2,
  DELIVERY_ACK: 3,
  READ: 4,
  PLAYED: 5,
} as const;
const STATUSES: readonly MessageStatus[] = ['failed', 'pending', 'sent', 'delivered', 'read', 'played'];

/** A status by number or name; undefined if unknown. */
export function statusOf(value: JsonValue | undefined): MessageStatus | undefined {
  const number = enumOf(value, STATUS_NUMBERS);
  return number === undefined ? undefined : STATUSES[number];
}

/** A live message was delivered, whatever its record says; a message from the phone was at least sent. */
function provenStatus(origin: MessageOrigin, status: MessageStatus | undefined): MessageStatus | undefined {
  if (origin === 'live') return status === 'read' || status === 'played' ? status : 'delivered';
  return origin === 'echo' ? (status ?? 'sent') : status;
}
