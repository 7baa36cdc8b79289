import { EVOLUTION_EVENTS } from '../vendors/evolution.js';

/**
 * Kinds of WhatsApp Web events, by how they become rows.
 * - history: the history that WhatsApp sends on linking, or a requested page.
 * - append: stored messages sent again (`messages.set`): history, but not the first sync.
 * - upsert: live messages; those of type `append` came while the socket was away.
 * - status, receipt, reaction: changes of messages, outside the message stream.
 * - edited, deleted: edits and revokes on their own, without their message.
 * - rowless: known, counted, makes no row (H3).
 */
export type EventKind =
  | 'history'
  | 'append'
  | 'upsert'
  | 'contacts'
  | 'chats'
  | 'lid_mapping'
  | 'status'
  | 'receipt'
  | 'reaction'
  | 'edited'
  | 'deleted'
  | 'rowless'
  | 'unknown';

/** Baileys' own events, of all versions. */
const BAILEYS_EVENTS: readonly [string, EventKind][] = [
  ['messaging-history.set', 'history'],
  ['messages.set', 'append'],
  ['messages.upsert', 'upsert'],
  ['messages.update', 'status'],
  ['message-receipt.update', 'receipt'],
  ['messages.reaction', 'reaction'],
  ['messages.delete', 'deleted'],
  ['contacts.set', 'contacts'],
  ['contacts.upsert', 'contacts'],
  ['contacts.update', 'contacts'],
  ['chats.set', 'chats'],
  ['chats.upsert', 'chats'],
  ['chats.update', 'chats'],
  ['lid-mapping.update', 'lid_mapping'],
  ['chats.phoneNumberShare', 'lid_mapping'],
  ...rowless(
    'blocklist.set',
    'blocklist.update',
    'call',
    'chats.delete',
    'chats.lock',
    'connection.update',
    'creds.update',
    'group.join-request',
    'group.member-tag.update',
    'group-participants.update',
    'groups.update',
    'groups.upsert',
    'labels.association',
    'labels.edit',
    'message-capping.update',
    'messages.media-update',
    'messaging-history.status',
    'newsletter-participants.update',
    'newsletter-settings.update',
    'newsletter.reaction',
    'newsletter.view',
    'presence.update',
    'settings.update',
  ),
];

const KIND_OF_EVENT: ReadonlyMap<string, EventKind> = new Map([...BAILEYS_EVENTS, ...EVOLUTION_EVENTS]);

/** Events that mostly say nothing about a person or a message: counted if nothing applies. */
const OFTEN_EMPTY: ReadonlySet<string> = new Set([
  'chats.update',
  'message-receipt.update',
  'messages.delete',
]);

export function isOftenEmpty(name: string): boolean {
  return OFTEN_EMPTY.has(name);
}

/** Rows of a table of events that are only counted. */
function rowless(...names: string[]): [string, EventKind][] {
  return names.map((name) => [name, 'rowless']);
}

/**
 * Evolution API writes `MESSAGES_UPSERT` on its queues and sockets, and `messages-upsert` in a URL, for what its webhooks call
 * `messages.upsert`; programs that imitate it mix dots and dashes.
 */
const NAME_OF_CONSTANT: ReadonlyMap<string, string> = new Map(
  [...KIND_OF_EVENT.keys()].map((name) => [constantOf(name), name]),
);

function constantOf(name: string): string {
  return name.toUpperCase().replace(/[.-]/g, '_');
}

/** A constant, or a name with dots and dashes; small words with underscores are other programs'. */
const OTHER_SPELLING = /^(?:[A-Z_]{3,64}|[a-z-]+[.-][a-z.-]{1,64})$/;

/** Baileys' own spelling of an event's name; an unknown name is returned unchanged, with the kind `unknown`. */
export function eventOf(written: string): { name: string; kind: EventKind } {
  const isOther = !KIND_OF_EVENT.has(written) && OTHER_SPELLING.test(written);
  const name = (isOther ? NAME_OF_CONSTANT.get(constantOf(written)) : undefined) ?? written;
  return { name, kind: KIND_OF_EVENT.get(name) ?? 'unknown' };
}
