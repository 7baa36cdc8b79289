import { witnessOfMeta } from '../../decode/exports/chat-line.js';
import { isChatExportId } from '../../model/chat-line.js';
import type { MessageFact } from '../../model/facts.js';
import { personKey, readRivals, textsOf, type WitnessedPlace } from '../../rawlog/witnessed-messages.js';
import { messageOfLine, type Rival } from '../../rules/chat-witness.js';
import type { MessageBook } from '../../rules/message-book.js';
import type { MessageState } from '../../rules/message-state.js';
import { readChatExportRows } from '../../store/tables/messages.js';
import type { BatchWork, Item } from './work.js';

/**
 * Rule M11, once all else in the batch is placed: a message from a line of an exported chat is removed if a message
 * with its own id matches the line, and a matched line of this batch is left out. `whose` gives the lead of a line.
 * Returns the unmatched lines, which still need a place.
 */
export async function settleWitnesses(
  work: BatchWork,
  book: MessageBook,
  lines: readonly Item<MessageFact>[],
  whose: (item: Item<MessageFact>) => string | null,
): Promise<Item<MessageFact>[]> {
  book.load(
    await readChatExportRows(
      work.tx,
      [...new Set(work.items.map(({ connection }) => connection.id))],
      [...new Set(peopleOf(work))],
    ),
  );
  const stored = book.all().flatMap((tracked) => {
    const { externalId, connectionId, leadId, rawMeta } = tracked.state;
    const witness = isChatExportId(externalId) ? witnessOfMeta(rawMeta) : undefined;
    return witness === undefined || tracked.gone ? [] : [{ tracked, connectionId, leadId, witness }];
  });
  const incoming = lines.map((item) => {
    const { fact, connection } = item;
    const leadId = whose(item);
    const place =
      leadId === null || fact.witness === undefined
        ? null
        : { connectionId: connection.id, leadId, witness: fact.witness };
    return { item, place };
  });
  const places = [...stored, ...incoming.flatMap(({ place }) => place ?? [])];
  if (places.length === 0) return [...lines];
  const rivals = overlay(await readRivals(work.tx, places), book);
  const isShown = (place: WitnessedPlace): boolean =>
    messageOfLine(place.witness, rivals.get(personKey(place)) ?? []) !== undefined;
  for (const place of stored) if (isShown(place)) book.drop(place.tracked);
  return incoming.flatMap(({ item, place }) => {
    if (place === null || !isShown(place)) return [item];
    work.skip(item, 'message', 'overruled');
    return [];
  });
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

function rivalOf({ id, timestamp, direction, type, body, media, edits, revokedAt }: MessageState): Rival {
  const edited = [...(edits?.values() ?? [])].map(({ content }) => content.body);
  return {
    id,
    at: timestamp,
    direction,
    type,
    texts: textsOf([body, ...edited]),
    fileName: media?.fileName ?? null,
    isRevoked: revokedAt !== null,
  };
}
