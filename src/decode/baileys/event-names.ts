/**
 * What an event of Baileys holds, as far as rows come of it.
 * - history: the history that WhatsApp sends by itself when a device is linked, or a page that was asked for.
 * - append: stored messages given again (`messages.set`): history, but not the first sync.
 * - upsert: live messages; those of type `append` came while the socket was away.
 * - status, reaction: what changed about messages, said once more outside the message stream.
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
  | 'reaction'
  | 'rowless'
  | 'unknown';

const KIND_OF_EVENT: ReadonlyMap<string, EventKind> = new Map<string, EventKind>([
  ['messaging-history.set', 'history'],
  ['messages.set', 'append'],
  ['messages.upsert', 'upsert'],
  // Evolution API's own: what was sent through its API.
  ['send.message', 'upsert'],
  ['messages.update', 'status'],
  ['messages.reaction', 'reaction'],
  ['contacts.set', 'contacts'],
  ['contacts.upsert', 'contacts'],
  ['contacts.update', 'contacts'],
  ['chats.set', 'chats'],
  ['chats.upsert', 'chats'],
  ['lid-mapping.update', 'lid_mapping'],
  ['chats.phoneNumberShare', 'lid_mapping'],
  ...rowless([
    'blocklist.set',
    'blocklist.update',
    'call',
    'chats.delete',
    'chats.lock',
    'chats.update',
    'connection.update',
    'creds.update',
    'group.join-request',
    'group.member-tag.update',
    'group-participants.update',
    'groups.update',
    'groups.upsert',
    'labels.association',
    'labels.edit',
    'message-receipt.update',
    'messages.media-update',
    'messaging-history.status',
    'newsletter-participants.update',
    'newsletter-settings.update',
    'newsletter.reaction',
    'newsletter.view',
    'presence.update',
    'settings.update',
    // Evolution API's own.
    'application.startup',
    'group.update',
    'instance.create',
    'instance.delete',
    'logout.instance',
    'qrcode.updated',
    'remove.instance',
    'status.instance',
  ]),
]);

function rowless(names: readonly string[]): [string, EventKind][] {
  return names.map((name) => [name, 'rowless']);
}

/** Evolution API writes `MESSAGES_UPSERT` on its queues and sockets for what its webhooks call `messages.upsert`. */
const NAME_OF_CONSTANT: ReadonlyMap<string, string> = new Map(
  [...KIND_OF_EVENT.keys()].map((name) => [name.toUpperCase().replace(/[.-]/g, '_'), name]),
);

/** Baileys' own spelling of an event's name; what is not known comes back as it is, with the kind `unknown`. */
export function eventOf(written: string): { name: string; kind: EventKind } {
  const name = NAME_OF_CONSTANT.get(written) ?? written;
  return { name, kind: KIND_OF_EVENT.get(name) ?? 'unknown' };
}
