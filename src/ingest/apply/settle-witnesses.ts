import { witnessOfMeta } from '../../decode/exports/chat-line.js';
import { cutOfId, isChatExportId, isCutId, type Witness } from '../../model/chat-line.js';
import type { MessageFact } from '../../model/facts.js';
import { personKey, readRivals, textsOf, type WitnessedPlace } from '../../rawlog/witnessed-messages.js';
import { messageOf, type Rival } from '../../rules/chat-witness.js';
import { keyOf, type MessageBook, type TrackedMessage } from '../../rules/message-book.js';
import { cutNamesOf, keyIdOf, type MessageState } from '../../rules/message-state.js';
import {
  hasCutRows,
  readChatExportRows,
  readCutRows,
  readMessages,
  type MessageKey,
  type StoredMessageRow,
} from '../../store/tables/messages.js';
import type { BatchWork, Item } from './work.js';

/** Gives the lead of an item. */
type Whose = (item: Item<MessageFact>) => string | null;

/** What phones have exported of the batch's people. */
interface Exported {
  /** Whether the batch's connections have messages of which only the beginning of the key id is known (M12). */
  hasCut: boolean;
  /** The messages that only a line of an exported chat shows (M11). */
  lines: readonly StoredMessageRow[];
}

/** Reads {@link Exported} before the batch is merged, which changes no rows. */
export async function readExported(work: BatchWork): Promise<Exported> {
  const connectionIds = [...new Set(work.items.map(({ connection }) => connection.id))];
  if (connectionIds.length === 0) return { hasCut: false, lines: [] };
  return {
    hasCut: await hasCutRows(work.tx, connectionIds),
    lines: await readChatExportRows(work.tx, connectionIds, [...new Set(peopleOf(work))]),
  };
}

/**
 * Rule M12, once all else in the batch is placed: a message of which only the beginning of the key id is known is removed if the message
 * with the whole id is there, and one of this batch is left out. Returns those that still need a place.
 */
export async function settleCutIds(
  work: BatchWork,
  book: MessageBook,
  items: readonly Item<MessageFact>[],
  whose: Whose,
  { hasCut, mergedConversations }: Pick<Exported, 'hasCut'> & { mergedConversations: readonly string[] },
): Promise<Item<MessageFact>[]> {
  const cut = items.filter(({ fact }) => fact.witness !== undefined && isCutId(fact.witness));
  noteMoved(work, book);
  if (hasCut) {
    book.load(await readMessages(work.tx, cutNames(book), []));
    book.load(await readCutRows(work.tx, mergedConversations));
  }
  return settle(work, book, cut, whose, cutOfState, (tracked) => work.withoutCut.add(tracked.state.leadId));
}

/**
 * Rule M11, after M12: a message from a line of an exported chat is removed if a message with its own id matches the line, and a matched
 * line of this batch is left out. Returns the unmatched lines, which still need a place.
 */
export async function settleWitnesses(
  work: BatchWork,
  book: MessageBook,
  items: readonly Item<MessageFact>[],
  whose: Whose,
  exported: readonly StoredMessageRow[],
): Promise<Item<MessageFact>[]> {
  const lines = items.filter(({ fact }) => fact.witness !== undefined && !isCutId(fact.witness));
  book.load(exported);
  return settle(work, book, lines, whose, lineOfState, () => undefined);
}

async function settle(
  work: BatchWork,
  book: MessageBook,
  items: readonly Item<MessageFact>[],
  whose: Whose,
  witnessOf: (state: MessageState) => Witness | undefined,
  onDrop: (tracked: TrackedMessage) => void,
): Promise<Item<MessageFact>[]> {
  const stored = book.all().flatMap((tracked) => {
    const { connectionId, leadId } = tracked.state;
    const witness = witnessOf(tracked.state);
    return witness === undefined || tracked.gone ? [] : [{ tracked, connectionId, leadId, witness }];
  });
  const incoming = items.map((item) => {
    const { fact, connection } = item;
    const leadId = whose(item);
    const place =
      leadId === null || fact.witness === undefined
        ? null
        : { connectionId: connection.id, leadId, witness: fact.witness };
    return { item, place };
  });
  const places = [...stored, ...incoming.flatMap(({ place }) => place ?? [])];
  if (places.length === 0) return [...items];
  const rivals = overlay(await readRivals(work.tx, places), book);
  const isShown = (place: WitnessedPlace): boolean =>
    messageOf(place.witness, rivals.get(personKey(place)) ?? []) !== undefined;
  for (const place of stored) {
    if (!isShown(place)) continue;
    book.drop(place.tracked);
    onDrop(place.tracked);
  }
  return incoming.flatMap(({ item, place }) => {
    if (place === null || !isShown(place)) return [item];
    work.skip(item, 'message', 'overruled');
    return [];
  });
}

function cutOfState({ externalId }: MessageState): Witness | undefined {
  return cutOfId(externalId);
}

function lineOfState({ externalId, rawMeta }: MessageState): Witness | undefined {
  return isChatExportId(externalId) ? witnessOfMeta(rawMeta) : undefined;
}

/** What the batch's messages are called where only the beginning of their key id is known. */
function cutNames(book: MessageBook): MessageKey[] {
  const keys = new Map<string, MessageKey>();
  for (const { state, gone } of book.all()) {
    if (gone) continue;
    const { connectionId } = state;
    for (const id of cutNamesOf(state)) keys.set(keyOf(connectionId, id), { connectionId, id });
  }
  return [...keys.keys()].sort().flatMap((key) => keys.get(key) ?? []);
}

/** A message that took the place of one with a cut id may not be that one any more: its time, direction or conversation changed. */
function noteMoved(work: BatchWork, book: MessageBook): void {
  for (const { stored, state, changed, gone, mergedInto } of book.all()) {
    if (stored === null || !(changed || gone)) continue;
    const [before] = cutNamesOf(stored);
    if (before === undefined) continue;
    const now = mergedInto?.state ?? (gone ? null : state);
    if (now === null || cutNamesOf(now)[0] !== before || now.leadId !== stored.leadId)
      work.withMovedMessages.add(stored.leadId);
  }
}

/** Everyone in the batch: one of their lines may have found its message, or they may have become one person. */
function peopleOf({ people }: BatchWork): string[] {
  return [...people.values()].flatMap((plan) => [...plan.values()].map(({ id }) => id)).sort();
}

/** The rivals, updated by the batch. */
function overlay(stored: ReadonlyMap<string, Rival[]>, book: MessageBook): Map<string, Rival[]> {
  const rivals = new Map<string, Map<string, Rival>>();
  for (const [place, own] of stored) rivals.set(place, new Map(own.map((rival) => [rival.id, rival])));
  for (const { state, gone } of book.all()) {
    if (isChatExportId(state.externalId)) continue;
    const place = personKey(state);
    for (const [other, own] of rivals) if (other !== place || gone) own.delete(state.id);
    if (gone) continue;
    const own = rivals.get(place) ?? new Map<string, Rival>();
    own.set(state.id, rivalOf(state));
    rivals.set(place, own);
  }
  return new Map([...rivals].map(([place, own]) => [place, [...own.values()]]));
}

function rivalOf(state: MessageState): Rival {
  const { id, timestamp, direction, type, body, media, edits, revokedAt } = state;
  const edited = [...(edits?.values() ?? [])].map(({ content }) => content.body);
  return {
    id,
    keyId: keyIdOf(state),
    at: timestamp,
    direction,
    type,
    texts: textsOf([body, ...edited]),
    fileName: media?.fileName ?? null,
    isRevoked: revokedAt !== null,
  };
}
