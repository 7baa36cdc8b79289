import { CLOUD, type Day, type DayMessage, type Entry, type Item, type Post } from './day.js';

/** The part of a Meta message that its type names; Evolution API stores that of media as it is. */
export function metaContent(message: DayMessage): Record<string, unknown> {
  const { number, body } = message;
  const caption = body === null ? {} : { caption: body };
  const media = { id: String(1_000_000_000_000_000 + number), sha256: `c2hh${number}` };
  switch (message.type) {
    case 'text':
      return { body };
    case 'image':
      return { ...caption, mime_type: 'image/jpeg', ...media };
    case 'audio':
      return { mime_type: 'audio/ogg; codecs=opus', ...media, voice: true };
    case 'document':
      return { ...caption, filename: `pedido-${number}.pdf`, mime_type: 'application/pdf', ...media };
    case 'sticker':
      return { mime_type: 'image/webp', ...media, animated: false };
    case 'location':
      return { latitude: -23.55, longitude: -46.63, name: body, address: 'Rua Augusta' };
    case 'reaction':
      return { message_id: message.about?.id, emoji: body };
    case 'contacts':
      throw new Error('contacts are a list');
  }
}

/** The card of a message of the type `contacts`. */
export function cardOf(message: DayMessage): { name: string; phone: string } {
  return { name: message.body ?? '', phone: `55119${String(80_000_000 + message.number)}` };
}

/** Meta's webhook bodies of the day, in the order of arrival. */
export function asWebhooks(day: Day): string[] {
  let chunk = 0;
  return day.posts.map((post) => {
    if (isHistory(post)) chunk += 1;
    return JSON.stringify({
      object: 'whatsapp_business_account',
      entry: post.entries.map((entry) => ({
        id: CLOUD.waba,
        changes: [{ field: entry.field, value: { ...VALUE, ...valueOf(entry, chunk) } }],
      })),
    });
  });
}

const VALUE = {
  messaging_product: 'whatsapp',
  metadata: { display_phone_number: CLOUD.number, phone_number_id: CLOUD.phoneNumberId },
};

function isHistory(post: Post): boolean {
  return post.entries.some((entry) => entry.field === 'history');
}

function valueOf(entry: Entry, chunk: number): object {
  const said = entry.items.filter((item) => item.kind !== 'status');
  switch (entry.field) {
    case 'history':
      return {
        history: [{ metadata: { phase: 1, chunk_order: chunk, progress: 50 }, threads: threads(said) }],
      };
    case 'smb_message_echoes':
      return {
        message_echoes: said.map((item) => ({
          from: CLOUD.number,
          to: item.message.person.waId,
          ...bodyOfItem(item),
        })),
      };
    case 'messages':
      return { ...inbound(said), ...statuses(entry.items.filter((item) => item.kind === 'status')) };
  }
}

function inbound(items: readonly Item[]): object {
  if (items.length === 0) return {};
  const people = [...new Set(items.map((item) => item.message.person))];
  return {
    contacts: people.map((person) => ({ profile: { name: person.name }, wa_id: person.waId })),
    messages: items.map((item) => ({ from: item.message.person.waId, ...bodyOfItem(item) })),
  };
}

function statuses(items: readonly Item[]): object {
  if (items.length === 0) return {};
  return {
    statuses: items.map(({ message, at }) => ({
      id: message.id,
      status: 'delivered',
      timestamp: String(at),
      recipient_id: message.person.waId,
    })),
  };
}

function bodyOfItem(item: Item): object {
  const { kind, message } = item;
  const timestamp = String(item.at);
  switch (kind) {
    case 'message':
      return { id: message.id, timestamp, ...typed(message) };
    case 'ghost':
      return {
        id: message.id,
        timestamp,
        type: 'unsupported',
        errors: [{ code: 131_060, title: 'This message is unavailable.' }],
      };
    case 'edit':
      return {
        id: message.edit?.id,
        timestamp,
        type: 'edit',
        edit: {
          original_message_id: message.id,
          message: { type: 'text', text: { body: message.edit?.body } },
        },
      };
    case 'revoke':
      return {
        id: message.revoke?.id,
        timestamp,
        type: 'revoke',
        revoke: { original_message_id: message.id },
      };
    case 'status':
      throw new Error('statuses are a list of their own');
  }
}

function typed(message: DayMessage): object {
  const context =
    message.about === undefined || message.type === 'reaction' ? {} : { context: { id: message.about.id } };
  if (message.type !== 'contacts') {
    return { type: message.type, [message.type]: metaContent(message), ...context };
  }
  const { name, phone } = cardOf(message);
  const card = { name: { formatted_name: name, first_name: name }, phones: [{ phone, type: 'CELL' }] };
  return { type: 'contacts', contacts: [card], ...context };
}

function threads(items: readonly Item[]): object[] {
  const people = [...new Set(items.map((item) => item.message.person))];
  return people.map((person) => ({
    id: person.waId,
    messages: items
      .filter((item) => item.message.person === person)
      .map(({ message }) => ({
        from: message.direction === 'in' ? person.waId : CLOUD.number,
        id: message.id,
        timestamp: String(message.at),
        ...typed(message),
        history_context: {
          status: 'READ',
          ...(message.direction === 'out' && message.saysFromMe ? { from_me: true } : {}),
        },
      })),
  }));
}
