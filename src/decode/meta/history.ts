import { hasIdentity, identitiesOfUser, sameIdentities } from '../../identity/identities.js';
import type { Direction } from '../../model/enumerations.js';
import type { HistoryStateFact, Identities } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, cutText, excerptOf, numberOf, textOf } from '../read.js';
import { isBusiness, listIn, showStrangeLists, type ChangeContext } from './change-context.js';
import { countIdentities, recipientOf, senderOf, usernameOf, widened } from './contact-book.js';
import { readItems, type Placement, type Placer, type Refusal } from './items.js';

/** "History sync is turned off by the business from the WhatsApp Business App". */
const DECLINED = 2593109;

/** The lists that are read from a chunk and from a thread. */
const IN_CHUNK = ['threads', 'errors'];
const IN_THREAD = ['messages'];

/** Whether the value is about the history; its errors then say why there is none. */
export function isHistory(context: ChangeContext, value: JsonObject): boolean {
  return context.field === 'history' || (value.history !== undefined && value.history !== null);
}

/** `value.history[]`: each element is one chunk with its counters and threads, or the reason why there is none (rule H2). */
export function readHistory(context: ChangeContext, value: JsonObject): boolean {
  if (!isHistory(context, value)) return false;
  const path = `${context.path}.history`;
  const chunks = listIn(context, value.history, path) ?? [];
  for (const [i, element] of chunks.entries()) {
    const chunk = asObject(element);
    if (chunk === undefined) notAnObject(context, `${path}[${i}]`, element);
    else readChunk(context, chunk, `${path}[${i}]`, asObject(value.metadata));
  }
  readHistoryErrors(context, value.errors, `${context.path}.errors`);
  return Array.isArray(value.history) || Array.isArray(value.errors);
}

function readChunk(
  context: ChangeContext,
  chunk: JsonObject,
  path: string,
  valueMetadata: JsonObject | undefined,
): void {
  const metadata = asObject(chunk.metadata);
  // Some senders put the counters beside the phone number, as texts.
  const counter = (name: string): number | undefined =>
    counterOf(metadata?.[name]) ?? counterOf(valueMetadata?.[name]);
  const phase = counter('phase');
  const chunkOrder = counter('chunk_order');
  const progress = counter('progress');
  const threads = listIn(context, chunk.threads, `${path}.threads`);

  const isChunk =
    phase !== undefined || chunkOrder !== undefined || progress !== undefined || threads !== undefined;
  if (isChunk) {
    context.facts.push({
      kind: 'history_chunk',
      path,
      phase,
      chunkOrder,
      progress,
      messages: countMessages(threads ?? []),
    });
  }
  for (const [i, element] of (threads ?? []).entries()) {
    const threadPath = `${path}.threads[${i}]`;
    const thread = asObject(element);
    if (thread === undefined) notAnObject(context, threadPath, element);
    else readThread(context, thread, threadPath);
  }
  readHistoryErrors(context, chunk.errors, `${path}.errors`);
  showStrangeLists(context, chunk, path, (key) => IN_CHUNK.includes(key));
  if (!isChunk && chunk.threads === undefined && chunk.errors === undefined) {
    context.unrecognized.push({ path, reason: 'nothing_known', excerpt: excerptOf(chunk) });
  }
}

/** A counter that fits an integer column. */
function counterOf(value: JsonValue | undefined): number | undefined {
  const counter = numberOf(value);
  return Number.isInteger(counter) && counter !== undefined && counter >= 0 && counter < 2 ** 31
    ? counter
    : undefined;
}

function countMessages(threads: JsonValue[]): number {
  let messages = 0;
  for (const thread of threads) messages += asArray(asObject(thread)?.messages)?.length ?? 0;
  return messages;
}

function readHistoryErrors(context: ChangeContext, errors: JsonValue | undefined, path: string): void {
  for (const [i, element] of (listIn(context, errors, path) ?? []).entries()) {
    const error = asObject(element);
    const code = numberOf(error?.code);
    const words = [textOf(error?.code), textOf(error?.title) ?? textOf(error?.message)];
    const text = words.filter((word) => word !== undefined).join(' ');
    const status: HistoryStateFact['status'] = code === DECLINED ? 'declined' : 'failed';
    context.facts.push({
      kind: 'history_state',
      path: `${path}[${i}]`,
      status,
      error: text === '' ? undefined : cutText(text, 500),
    });
  }
}

function readThread(context: ChangeContext, thread: JsonObject, path: string): void {
  const about = asObject(thread.context);
  const byId = identitiesOfUser(textOf(thread.id));
  const byContext = identitiesOfUser(textOf(about?.wa_id), [
    textOf(about?.user_id),
    textOf(about?.parent_user_id),
  ]);
  const customer = customerOf(byId, byContext);
  const list = listIn(context, thread.messages, `${path}.messages`) ?? [];
  const placer = threadMessages(context, customer, [byId, byContext], textOf(about?.group_id) !== undefined);
  const newest = readItems(context, list, `${path}.messages`, placer);
  showStrangeLists(context, thread, path, (key) => IN_THREAD.includes(key));

  if (customer === undefined || isBusiness(context, customer)) return;
  if (countIdentities(customer) > 1) {
    context.facts.push({ kind: 'identity_link', path, who: [customer] });
  }
  const username = usernameOf(about?.username);
  if (username !== undefined) {
    const at = newest > 0 ? newest : (context.receivedAt ?? 0);
    context.facts.push({ kind: 'profile', path, who: customer, username, at });
  }
}

/**
 * The customer of a thread. `thread.id` is the customer's phone, but `thread-1` occurs too, when only the context names
 * the customer; of two different numbers, the context's wa_id counts, because WhatsApp itself sets it.
 */
function customerOf(byId: Identities, byContext: Identities): Identities | undefined {
  if (!hasIdentity(byContext)) return hasIdentity(byId) ? byId : undefined;
  const idIsPerson = byId.phone !== undefined || byId.lid !== undefined || byId.bsuids !== undefined;
  if (!idIsPerson) return byContext;
  const contradicts =
    byContext.phone !== undefined && byId.phone !== undefined && !sameIdentities(byId, byContext);
  return contradicts ? byContext : widened(byContext, byId);
}

/** Rule M4: direction by `from_me`, then by whether `from` is the thread's customer; never by the display number alone. */
function threadMessages(
  context: ChangeContext,
  customer: Identities | undefined,
  names: readonly Identities[],
  isGroup: boolean,
): Placer {
  const isSelf = customer !== undefined && isBusiness(context, customer);
  // A thread has two senders, so most messages have the placement of the one before.
  let last: Placement | undefined;
  let lastFrom: JsonValue | undefined;
  return {
    origin: 'history',
    place(item: JsonObject): Placement | Refusal {
      if (isGroup || textOf(item.group_id) !== undefined) return 'group';
      if (isSelf) return 'self_thread';
      const fromMe = isFromMe(item);
      if (customer === undefined) return withoutThread(context, item, fromMe);
      const plain =
        fromMe === undefined &&
        item.from !== undefined &&
        item.from_user_id === undefined &&
        item.from_parent_user_id === undefined &&
        item.to_user_id === undefined &&
        item.to_parent_user_id === undefined;
      if (plain && last !== undefined && item.from === lastFrom) return last;
      const placement = inThread(item, fromMe, customer, names);
      if (plain && typeof placement !== 'string') {
        last = placement;
        lastFrom = item.from;
      }
      return placement;
    },
  };
}

function inThread(
  item: JsonObject,
  fromMe: boolean | undefined,
  customer: Identities,
  names: readonly Identities[],
): Placement | Refusal {
  const sender = senderOf(item);
  if (fromMe !== true && !hasIdentity(sender) && textOf(item.from) === undefined) return 'missing_sender';
  const direction = fromMe === true ? 'OUTBOUND' : directionOf(item, sender, customer, names);
  const other = direction === 'INBOUND' ? sender : recipientOf(item);
  return placed(direction, widenedBy(customer, other));
}

function directionOf(
  item: JsonObject,
  sender: Identities,
  customer: Identities,
  names: readonly Identities[],
): Direction {
  if (sameIdentities(sender, customer) || names.some((name) => sameIdentities(sender, name))) {
    return 'INBOUND';
  }
  // A business always has a phone number in `from`; a user id alone is the customer's, if the thread has none.
  const onlyUserId = textOf(item.from) === undefined;
  return onlyUserId && customer.bsuids === undefined ? 'INBOUND' : 'OUTBOUND';
}

/** Places an item of a thread that names nobody: the business's number, if known, decides the side. */
function withoutThread(
  context: ChangeContext,
  item: JsonObject,
  fromMe: boolean | undefined,
): Placement | Refusal {
  const sender = senderOf(item);
  const recipient = recipientOf(item);
  const outbound = fromMe === true || isBusiness(context, sender);
  if (!outbound && !hasIdentity(sender)) return 'missing_sender';
  const known = outbound || fromMe === false || context.business !== undefined;
  const counterpart = outbound ? recipient : sender;
  if (!known || !hasIdentity(counterpart)) return 'missing_counterpart';
  if (isBusiness(context, counterpart)) return 'self_thread';
  return placed(outbound ? 'OUTBOUND' : 'INBOUND', counterpart);
}

/** Adds an item's user ids to those of its thread, unless the item names another number. */
function widenedBy(customer: Identities, other: Identities): Identities {
  const contradicts =
    other.phone !== undefined && customer.phone !== undefined && !sameIdentities(other, customer);
  return contradicts ? customer : widened(customer, other);
}

function placed(direction: Direction, counterpart: Identities): Placement {
  return { direction, counterpart, contact: undefined, participant: undefined };
}

/** Production has `from_me: true` on the business's messages and no key at all on the customer's. */
function isFromMe(item: JsonObject): boolean | undefined {
  const flag = asObject(item.history_context)?.from_me ?? item.from_me;
  return typeof flag === 'boolean' ? flag : undefined;
}

function notAnObject(context: ChangeContext, path: string, element: JsonValue): void {
  context.unrecognized.push({ path, reason: 'not_an_object', excerpt: excerptOf(element) });
}
