import { identitiesOfUser, mergeIdentities } from '../../identity/identities.js';
import { parseJid } from '../../identity/jid.js';
import type { Direction } from '../../model/enumerations.js';
import type { Identities } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { instantOf } from '../../model/time.js';
import { asideOfChat, lidTakenForPhone } from '../chats.js';
import { lackedOf, type AsideReason, type CrmRecord, type CrmRow } from '../crm.js';
import { kindIfNoText } from '../kinds.js';
import { flagIn, jsonIn, momentIn, stringAt, textIn, wordIn } from '../record.js';

/** By their numbers. */
const MESSAGE_TYPES = ['incoming', 'outgoing', 'activity', 'template'];
const STATUSES = ['sent', 'delivered', 'read', 'failed'];
const CONTENT_TYPES = [
  'text',
  'input_text',
  'input_textarea',
  'input_email',
  'input_select',
  'cards',
  'form',
  'article',
  'incoming_email',
  'input_csat',
  'integrations',
  'sticker',
  'voice_call',
];
const FILE_TYPES = [
  'image',
  'audio',
  'video',
  'file',
  'location',
  'fallback',
  'share',
  'story_mention',
  'contact',
  'ig_reel',
];

/** A row of `messages`, with what its inbox, conversation and contact say. */
export function readChatwootRow(record: CrmRecord): CrmRow {
  const rowId = wordIn(record, 'id') ?? '';
  const connection = wordIn(record, 'inbox_id') ?? '';
  const attributes = jsonIn(record, 'content_attributes');
  const externalId = externalIdOf(textIn(record, 'source_id'));
  const direction = directionOf(nameIn(record, 'message_type', MESSAGE_TYPES));
  const contentType = nameIn(record, 'content_type', CONTENT_TYPES) ?? 'text';
  const reason = asideOf(record, { contentType, externalId, direction, attributes });
  if (reason !== null) return { kind: 'aside', rowId, connection, reason };
  const storedAt = momentIn(record, 'created_at');
  const { contact, person, chat } = contactOf(record);
  // A row says when it was processed, but for those of an imported history.
  const isHistorical = attributes?.historical === true;
  const at = isHistorical ? storedAt : momentAt(attributes, 'external_created_at');
  const saysTime = isHistorical || (attributes?.external_created_at ?? null) !== null;
  return {
    kind: 'message',
    message: {
      rowId,
      connection,
      externalId,
      contact,
      person,
      direction,
      at,
      lacks: lackedOf({ direction, ...(saysTime ? { timestamp: at } : {}) }),
      storedAt,
      // A file's row is a text as well, with the caption.
      type: contentType === 'text' ? (nameIn(record, 'file_type', FILE_TYPES) ?? contentType) : contentType,
      // A text may have a file: Evolution API adds an advertisement's picture.
      kinds: kindIfNoText(contentType),
      body: bodyOf(record, { direction, attributes }),
      aside: asideOfChat(chat) ?? (isHandedOnReaction(record, attributes) ? 'reaction' : noteOf(record)),
    },
  };
}

/** The word of a number, or the word itself, as some exports have it. */
function nameIn(record: CrmRecord, column: string, names: readonly string[]): string | null {
  const value = wordIn(record, column);
  return value === null ? null : (names[Number(value)] ?? value);
}

function directionOf(messageType: string | null): Direction | null {
  switch (messageType) {
    case 'incoming':
      return 'INBOUND';
    case 'outgoing':
    case 'template':
      return 'OUTBOUND';
    default:
      return null;
  }
}

/** `true_5511…@c.us_3EB0…`, as WAHA and WPPConnect write ids. */
const SERIALIZED = /^(?:true|false)_[^\s_]+@[a-z.]+_([^\s_]+)/;

/** WhatsApp's id without the forwarder's prefix: Evolution API writes `WAID:` before it. */
function externalIdOf(sourceId: string | null): string | null {
  const id = sourceId?.replace(/^WAID:/, '').trim() ?? '';
  return id === '' ? null : (SERIALIZED.exec(id)?.[1] ?? id);
}

interface Read {
  contentType: string;
  externalId: string | null;
  direction: Direction | null;
  attributes: JsonObject | null;
}

function asideOf(
  record: CrmRecord,
  { contentType, externalId, direction, attributes }: Read,
): AsideReason | null {
  // A failed message of old versions has an activity with its id.
  if (nameIn(record, 'message_type', MESSAGE_TYPES) === 'activity') return 'activity';
  if (wordIn(record, 'phone_number') === EVOLUTION_BOT) return 'activity';
  if (attributes?.is_reaction === true) return 'reaction';
  if (externalId === null) return asideWithoutId(record, { contentType, direction });
  // Evolution API writes an edit as a reply to the message, under the message's own id.
  const repliesTo = stringAt(attributes, 'in_reply_to_external_id');
  return externalIdOf(repliesTo) === externalId ? 'edit' : null;
}

/** The contact by which Evolution API takes commands and says that it is connected. */
const EVOLUTION_BOT = '+123456';

function asideWithoutId(
  record: CrmRecord,
  { contentType, direction }: Pick<Read, 'contentType' | 'direction'>,
): AsideReason | null {
  if (flagIn(record, 'private')) return 'private_note';
  if (contentType === 'input_csat' || contentType === 'integrations') return 'activity';
  // Of a card Chatwoot stores the card's id, which no card has.
  if (direction === 'INBOUND') return record.source_id === '' ? 'contact_card' : null;
  // Chatwoot's own inboxes write the id when WhatsApp takes a message; what feeds an API inbox may forget to.
  const isQueued = wordIn(record, 'channel_type') === 'Channel::Whatsapp';
  return isQueued || nameIn(record, 'status', STATUSES) === 'failed' ? 'unsent' : null;
}

/** WAHA stores what was sent from the phone as private notes with WhatsApp's id. */
function noteOf(record: CrmRecord): AsideReason | null {
  return flagIn(record, 'private') ? 'private_note' : null;
}

/**
 * A reaction that Evolution API wrote as a reply of its own. A customer may reply with an emoji as well: only where the log has no
 * such message, it is taken for a reaction.
 */
function isHandedOnReaction(record: CrmRecord, attributes: JsonObject | null): boolean {
  return (
    stringAt(attributes, 'in_reply_to_external_id') !== null && EMOJI.test(textIn(record, 'content') ?? '')
  );
}

const EMOJI =
  /^(?=.*[\p{Extended_Pictographic}\p{Regional_Indicator}])[\p{Extended_Pictographic}\p{Emoji_Component}]{1,20}$/u;

interface Contact {
  contact: string | null;
  person: Identities;
  chat: string;
}

function contactOf(record: CrmRecord): Contact {
  const phone = wordIn(record, 'phone_number');
  // Programs that feed an API inbox write a JID there; other people's own ids of customers say nothing.
  const identifier = wordIn(record, 'identifier');
  const jid = parseJid(identifier ?? '');
  // Of an API inbox it is a random key.
  const isApi = wordIn(record, 'channel_type') === 'Channel::Api';
  const address = isApi ? null : wordIn(record, 'contact_source_id');
  // Programs that do not know LIDs write their digits as a phone, or as the JID of one.
  const number = jid.kind === 'user' ? jid.user : jid.kind === 'unknown' ? (phone ?? '') : '';
  const lid = jid.kind === 'lid' ? jid.jid : lidTakenForPhone(number);
  if (lid !== undefined) {
    const others = [address, phone].filter(
      (other) => other !== null && `${other.replace('+', '')}@lid` !== lid,
    );
    return {
      contact: lid,
      person: [lid, ...others].reduce<Identities>(
        (person, other) => mergeIdentities(person, identitiesOfUser(other ?? undefined)),
        {},
      ),
      chat: lid,
    };
  }
  const named = identitiesOfUser(jid.kind === 'unknown' ? undefined : jid.jid);
  const said = mergeIdentities(identitiesOfUser(address ?? undefined), named);
  const contactId = wordIn(record, 'contact_id');
  const name = jid.kind === 'group' ? jid.jid : (phone ?? address ?? identifier);
  return {
    // Not by the conversation: a customer has many, one after another.
    contact: name ?? (contactId === null ? null : `contact ${contactId}`),
    person: mergeIdentities(said, identitiesOfUser(phone ?? undefined)),
    chat: jid.kind === 'unknown' ? '' : jid.jid,
  };
}

/** A time that a program gave: seconds or milliseconds since 1970, or a date. */
function momentAt(attributes: JsonObject | null, key: string): number | null {
  const value = attributes?.[key];
  const text = typeof value === 'number' ? String(value) : stringAt(attributes, key);
  if (text === null) return null;
  if (!/^\d+(?:\.\d+)?$/.test(text)) return instantOf(text) ?? null;
  const number = Number(text);
  if (number <= 0 || number >= 1e15) return null;
  return Math.trunc(number >= 1e12 ? number : number * 1000);
}

/** What Evolution API writes under the text of somebody who came by an advertisement. */
const ADVERTISEMENT = /\n\n\n\*\*[\s\S]*$/;

/**
 * The words as WhatsApp has them. What an agent writes is Markdown there, and goes out with a signature; the echo of a message that
 * was sent from the phone has no sender.
 */
function bodyOf(
  record: CrmRecord,
  { direction, attributes }: Pick<Read, 'direction' | 'attributes'>,
): string | null | undefined {
  if (attributes?.deleted === true) return undefined;
  if (direction !== 'INBOUND' && (!('sender_type' in record) || wordIn(record, 'sender_type') !== null))
    return undefined;
  return textIn(record, 'content')?.replace(ADVERTISEMENT, '') ?? null;
}
