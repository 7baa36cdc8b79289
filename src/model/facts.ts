import type { Witness } from './chat-line.js';
import type { Direction, HistorySyncStatus, MessageStatus, Provider } from './enumerations.js';
import type { JsonObject } from './json.js';

/**
 * The names that one raw entry gives to one person. All of them belong to the same person, so a fact that carries two of
 * them is also evidence that they are one (rule I3).
 */
export interface Identities {
  /** E.164 with `+`, canonical by rule I1 (`+5531990000003` for `553190000003`). Absent when the digits are no phone. */
  phone?: string;
  /** What WhatsApp itself sent, without `+` and device: digits, or a group's JID under `--include`. Kept when it is not just the phone's digits. */
  waId?: string;
  /** `123456@lid`, without device. */
  lid?: string;
  /** Business-scoped user ids: `BR.1349…`, and the parent's `BR.ENT.…` where the entry has it. */
  bsuids?: readonly string[];
}

/** What the entry says about the business number that it belongs to. */
export interface ConnectionHint {
  /** Meta's phone_number_id: when present it alone decides (rule H1). */
  phoneNumberId?: string;
  wabaId?: string;
  /** Digits or formatted, as sent. */
  displayPhoneNumber?: string;
  /** Baileys: the session or instance name that the dump's wrapper carries. */
  sessionName?: string;
}

/**
 * The kind of item that a message came as; it decides source, authority over the thread, and tickets.
 * - live: field `messages`, or a Baileys live upsert. The only one that opens tickets when inbound (T1).
 * - standby: field `standby`; live, but another program answers, so no ticket.
 * - history: a history chunk, or a Baileys history event.
 * - echo: `smb_message_echoes` / `message_echoes`.
 * - follow_up: the media of a history placeholder, sent later under `field: history` as `value.messages` or
 *   `value.message_echoes`; it fills content and never moves a message (M2).
 * - adopted: a row of a CRM or a line of an exported chat (`compare --adopt`); the weakest evidence, which anything of WhatsApp's own replaces.
 */
export type MessageOrigin = 'live' | 'standby' | 'history' | 'echo' | 'follow_up' | 'adopted';

/** How good the content is (rule M2): real content > media without an id > placeholder or `unsupported`. */
export type ContentGrade = 'content' | 'media_without_id' | 'placeholder';

export interface Media {
  id?: string;
  mimeType?: string;
  sha256?: string;
  fileName?: string;
}

/** The content of a message or an edit. Texts are clean for PostgreSQL (no NUL, no lone surrogates; M8). */
export interface MessageContent {
  /** Meta's type, or its equivalent for WhatsApp Web: text, image, audio, …; an unknown future type is kept as it is. */
  type: string;
  body?: string;
  media?: Media;
}

/** Why a message failed, in Meta's words: 131047 is a closed customer service window. */
export interface MessageError {
  /** Absent when the sender gives none, or one that is not a number. */
  code?: number;
  title?: string;
  details?: string;
}

interface FactBase {
  /** JSON path of the item inside the raw entry, e.g. `$.entry[0].changes[1].value.messages[3]`. */
  path: string;
}

export interface MessageFact extends FactBase, MessageContent {
  kind: 'message';
  origin: MessageOrigin;
  externalId: string;
  /** The id inside the wamid, or WhatsApp Web's key id itself. Absent when the wamid does not decode (M10). */
  stanzaId?: string;
  /** The customer's phone that the wamid holds, canonical; evidence for M9, never a key. */
  wamidPhone?: string;
  counterpart: Identities;
  direction: Direction;
  /** Milliseconds since 1970, UTC. */
  timestamp: number;
  grade: ContentGrade;
  /** True for a body that only names the content (`Template order_update`): any text of another copy is better (M2). */
  bodyIsLabel?: boolean;
  contextExternalId?: string;
  /** The status that the item itself proves: history_context.status, a Baileys status, `sent` for an echo, `delivered` for live inbound. */
  status?: MessageStatus;
  /** Only what a history item says. */
  historyStatus?: MessageStatus;
  /** True for the history that WhatsApp sends when a number connects; false for on-demand pages and live items. */
  isSyncInitial: boolean;
  /** Why it failed, if the item itself says so (an echo, a history status ERROR). */
  errors?: readonly MessageError[];
  /** Its id is made up: a message with an id of its own takes its place (M11, M12). */
  witness?: Witness;
  /** What has no column of its own: referral, errors, unknown objects, media keys, flags such as `timestampFrom`. */
  rawMeta?: JsonObject;
}

export interface StatusFact extends FactBase {
  kind: 'status';
  targetExternalId: string;
  /** The contact of the message's chat, if the item says so. Creates no lead, and links no names. */
  recipient?: Identities;
  status: MessageStatus;
  at: number;
  errors?: readonly MessageError[];
}

export interface EditFact extends FactBase {
  kind: 'edit';
  targetExternalId: string;
  /** The edit's own id; orders two edits of one second. */
  editId: string;
  at: number;
  content: MessageContent;
  counterpart: Identities;
}

export interface RevokeFact extends FactBase {
  kind: 'revoke';
  targetExternalId: string;
  /** 0 if unknown. */
  at: number;
  counterpart: Identities;
}

export interface ReactionFact extends FactBase {
  kind: 'reaction';
  targetExternalId: string;
  /** Who reacted, in terms that survive a merge of leads: `customer`, `business`, or a group participant's identity. */
  reactor: string;
  /** null removes. */
  emoji: string | null;
  at: number;
  counterpart: Identities;
  /** A live reaction makes its sender a lead; one inside history does not. */
  live: boolean;
}

/** One line of the business's address book (`smb_app_state_sync`); `add` creates or renames, `remove` deactivates (I5). */
export interface AddressBookFact extends FactBase {
  kind: 'address_book';
  action: 'add' | 'remove';
  who: Identities;
  name?: string;
  username?: string;
  at: number;
}

/** A name that the person chose (profile name, push name) or a username: renames, never creates (I5). */
export interface ProfileFact extends FactBase {
  kind: 'profile';
  who: Identities;
  name?: string;
  /** Without the leading `@`. */
  username?: string;
  /** Name given by the business's own address book (Baileys `contact.name`, chat name): outranks profile names, creates nothing. */
  addressBookName?: string;
  at: number;
}

/** Two or more identities of one person (from contacts, statuses, LID mappings, user_id_update). */
export interface IdentityLinkFact extends FactBase {
  kind: 'identity_link';
  who: readonly Identities[];
}

export interface HistoryChunkFact extends FactBase {
  kind: 'history_chunk';
  /** Meta's phase 0-2; for Baileys the sync type. Absent where the entry does not say. */
  phase?: number;
  chunkOrder?: number;
  progress?: number;
  /** How many message items the chunk holds, including skipped and rejected ones. */
  messages: number;
}

/** What else an entry says about a connection's history: announced, declined (2593109) or failed. */
export interface HistoryStateFact extends FactBase {
  kind: 'history_state';
  status: Extract<HistorySyncStatus, 'pending_history' | 'declined' | 'failed'>;
  error?: string;
}

/** An event that makes no row and is counted by its field (H3). */
export interface EventFact extends FactBase {
  kind: 'event';
  /** `account_update`, `user_preferences`, …; with the event's own name where it has one: `account_update.PARTNER_REMOVED`. */
  name: string;
}

/** What an item would have become; the accounting identity holds per subject. */
export type Subject = 'message' | 'status' | 'edit' | 'revoke' | 'reaction' | 'contact';

export interface SkippedFact extends FactBase {
  kind: 'skipped';
  subject: Subject;
  reason: SkipReason;
}

export interface RejectedFact extends FactBase {
  kind: 'rejected';
  subject: Subject;
  reason: RejectReason;
  /** The item's JSON, cut to 200 characters. */
  excerpt: string;
}

export type SkipReason =
  | 'group'
  | 'status_broadcast'
  | 'broadcast'
  | 'newsletter'
  | 'self_thread'
  | 'official_account'
  | 'system'
  | 'protocol'
  | 'stub'
  | 'unknown_status'
  | 'own_number'
  | 'not_a_contact'
  | 'unknown_connection'
  | 'other_connection'
  | 'other_contact'
  | 'overruled'
  /** It was about a person who has been erased. */
  | 'erased';

export type RejectReason =
  | 'not_an_object'
  | 'missing_id'
  | 'missing_counterpart'
  | 'missing_sender'
  | 'bad_timestamp'
  | 'missing_target'
  | 'missing_status'
  | 'id_collision';

export type Fact =
  | MessageFact
  | StatusFact
  | EditFact
  | RevokeFact
  | ReactionFact
  | AddressBookFact
  | ProfileFact
  | IdentityLinkFact
  | HistoryChunkFact
  | HistoryStateFact
  | EventFact
  | SkippedFact
  | RejectedFact;

/** One change of one entry (Meta), or one event (Baileys). */
export interface Section {
  path: string;
  /** Meta's field (`messages`, `history`, …) or Baileys' event name (`messaging-history.set`, …). */
  field: string;
  connection: ConnectionHint;
  facts: Fact[];
  /** False when the section is known and carries facts about a connection; true when it only counts (H3). */
  eventOnly: boolean;
  /** Only a number that is also in the WhatsApp Business app sends this field. */
  isCoexistence?: boolean;
  /** What stands around the body, outermost first: `docker`, `json_string`, `base64`. Absent where nothing does. */
  via?: readonly string[];
  /** The `path` of the {@link SignedBody} that it is of; absent where no signature was kept. */
  signedAt?: string;
}

/** A webhook's signature, as a wrapper kept it beside the body. */
export interface SignedBody {
  /** JSON path of the body, as clean text: by it the raw log knows a body whose signature was wrong. */
  path: string;
  /** The value of `X-Hub-Signature-256`, also where it can be no signature. */
  header: string;
  /** Set where it is the value of the older `X-Hub-Signature`, and the other one was not kept. */
  isSha1?: true;
  /** The bytes that it signs; null where the log has the body written anew, so that nothing can be checked. */
  body: Uint8Array | null;
  /** The exact texts around it in the reach of its signature: one of them may be what was signed. */
  around?: readonly Uint8Array[];
  /** For a body without an exact text: those of the same signature. If none of them fits, nobody knows who wrote it. */
  beside?: readonly Uint8Array[];
  /** The signature of the text in which this one stands: whoever wrote the text wrote this one, too. */
  outer?: Omit<SignedBody, 'path'>;
}

/** A part of the entry unknown to every decoder: stored, counted, reported (E1). */
export interface Unrecognized {
  path: string;
  reason: string;
  excerpt: string;
}

export interface DecodedEntry {
  provider: Provider;
  sections: Section[];
  unrecognized: Unrecognized[];
  /** When the entry was received, if the log says so (received_at, createdAt of a log row): ms since 1970. */
  receivedAt?: number;
  /** Whether not every body has this time beside it. */
  hasOtherTimes?: boolean;
  /** Empty where no wrapper kept a signature. */
  signatures: SignedBody[];
  /** Bodies beside which no signature was kept. */
  unsigned: number;
}

/** Why an item was rejected, for people. */
export const REJECT_WORDS: Readonly<Record<RejectReason, string>> = {
  not_an_object: 'not a JSON object',
  missing_id: 'no message id',
  missing_counterpart: 'no chat partner',
  missing_sender: 'no sender',
  bad_timestamp: 'no usable time',
  missing_target: 'no target message',
  missing_status: 'no status',
  id_collision: 'its id is taken by a message in another conversation',
};

/** The same for a reason as it is stored; one of a newer version is its own word. */
export function rejectWords(reason: string): string {
  const known: Readonly<Record<string, string>> = REJECT_WORDS;
  return known[reason] ?? reason.replaceAll('_', ' ');
}
