import type { ConnectionHint, MessageOrigin, Section, Unrecognized } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { externalIdOf } from '../external-id.js';
import type { DecodeOptions } from '../options.js';
import { asObject, excerptOf } from '../read.js';
import { cutText } from '../text.js';
import { businessPhone, listIn, showStrangeLists, type ChangeContext } from './change-context.js';
import { readContacts } from './contact-book.js';
import { isEventField, readEvent } from './events.js';
import { readHistory } from './history.js';
import { readItems } from './items.js';
import { businessEchoes, customerMessages } from './messages.js';
import { readStateSync } from './state-sync.js';
import { readStatuses } from './statuses.js';
import { readUserIdUpdates } from './user-id-update.js';

/** One change of a webhook, taken out of whatever it was wrapped in. */
export interface Change {
  /** JSON path of the value. */
  path: string;
  field: string;
  value: JsonValue | undefined;
  wabaId: string | undefined;
}

/** Fields whose values hold messages, statuses, history or contacts. */
const CONTENT_FIELDS: ReadonlySet<string> = new Set([
  'messages',
  'history',
  'smb_app_state_sync',
  'smb_message_echoes',
  'message_echoes',
  'standby',
  'user_id_update',
]);

/** The lists that are read from a value, whatever its field: one value may carry several of them. */
const KNOWN_LISTS: ReadonlySet<string> = new Set([
  'messages',
  'statuses',
  'message_echoes',
  'history',
  'state_sync',
  'standby',
  'user_id_update',
  'contacts',
  'errors',
]);

export function isKnownField(field: string): boolean {
  return CONTENT_FIELDS.has(field) || isEventField(field);
}

/** Whether values of this field are read for messages, statuses, history or contacts. */
export function isContentField(field: string): boolean {
  return CONTENT_FIELDS.has(field);
}

/**
 * The facts of one change, added to `sections`; what nobody knows is added to `unrecognized` (rule E1).
 * Each change gives a section, or at least one unrecognised part, never silence.
 */
export function decodeChange(
  change: Change,
  options: DecodeOptions,
  sections: Section[],
  unrecognized: Unrecognized[],
): void {
  const { path, field } = change;
  const value = asObject(change.value);
  const isEvent = isEventField(field);
  if (!isEvent && !CONTENT_FIELDS.has(field)) {
    unrecognized.push({
      path,
      reason: `unknown_field:${cutText(field, 64)}`,
      excerpt: excerptOf(change.value),
    });
    return;
  }
  if (value === undefined && !isEvent) {
    unrecognized.push({ path, reason: 'not_an_object', excerpt: excerptOf(change.value) });
    return;
  }
  const connection = connectionOf(value, change.wabaId);
  const context: ChangeContext = {
    path,
    field,
    business: businessPhone(connection.displayPhoneNumber),
    receivedAt: options.receivedAt,
    include: options.include,
    facts: [],
    unrecognized,
  };
  const before = unrecognized.length;
  if (isEvent) readEvent(context, value);
  else if (value !== undefined) readValue(context, value);

  const { facts } = context;
  if (facts.length === 0 && unrecognized.length > before) return;
  const eventOnly = facts.length > 0 && facts.every((fact) => fact.kind === 'event');
  sections.push({ path, field, connection, facts, eventOnly });
}

function readValue(context: ChangeContext, value: JsonObject): void {
  let known = readLists(context, value);
  const standby = asObject(value.standby);
  if (standby !== undefined) {
    // Same business, same facts; only the place in the entry differs.
    const path = `${context.path}.standby`;
    readLists({ ...context, path }, standby);
    showStrangeLists(context, standby, path, KNOWN_LISTS);
    known = true;
  } else if (value.standby !== undefined && value.standby !== null) {
    context.unrecognized.push({
      path: `${context.path}.standby`,
      reason: 'not_an_object',
      excerpt: excerptOf(value.standby),
    });
    known = true;
  }
  if (Array.isArray(value.history) || context.field === 'history') {
    readHistory(context, value);
    known ||= Array.isArray(value.history) || Array.isArray(value.errors);
  } else if (Array.isArray(value.errors)) {
    context.facts.push({ kind: 'event', path: `${context.path}.errors`, name: `${context.field}.errors` });
    known = true;
  }
  if (value.state_sync !== undefined) {
    readStateSync(context, value);
    known = true;
  }
  if (value.user_id_update !== undefined) {
    readUserIdUpdates(context, value);
    known = true;
  }
  const strange = showStrangeLists(context, value, context.path, KNOWN_LISTS);
  if (!strange && !known) {
    context.unrecognized.push({
      path: context.path,
      reason: 'nothing_known',
      excerpt: excerptOf(value),
    });
  }
}

/** Messages, echoes and statuses with their contacts. False when the value has none of the lists. */
function readLists(context: ChangeContext, value: JsonObject): boolean {
  const { path } = context;
  const book = readContacts(context, value.contacts);
  let newest = 0;
  const messages = listIn(context, value.messages, `${path}.messages`);
  if (messages !== undefined) {
    const placer = customerMessages(context, book, messagesOrigin(context.field));
    newest = readItems(context, messages, `${path}.messages`, placer);
  }
  const echoes = listIn(context, value.message_echoes, `${path}.message_echoes`);
  if (echoes !== undefined) {
    const origin: MessageOrigin = context.field === 'history' ? 'follow_up' : 'echo';
    const placer = businessEchoes(context, book, origin);
    newest = Math.max(newest, readItems(context, echoes, `${path}.message_echoes`, placer));
  }
  const statuses = listIn(context, value.statuses, `${path}.statuses`);
  if (statuses !== undefined) {
    newest = Math.max(newest, readStatuses(context, statuses, `${path}.statuses`, book));
  }
  book.addFacts(context, newest);
  return messages !== undefined || echoes !== undefined || statuses !== undefined || book.size > 0;
}

/** The field, not the age, decides what a message is: only `messages` is live (rule T1). */
function messagesOrigin(field: string): MessageOrigin {
  switch (field) {
    case 'messages':
      return 'live';
    case 'history':
      return 'follow_up';
    case 'smb_message_echoes':
    case 'message_echoes':
      return 'echo';
    default:
      return 'standby';
  }
}

function connectionOf(value: JsonObject | undefined, wabaId: string | undefined): ConnectionHint {
  const metadata = asObject(value?.metadata);
  const connection: ConnectionHint = {};
  const phoneNumberId = externalIdOf(metadata?.phone_number_id);
  if (phoneNumberId !== undefined) connection.phoneNumberId = phoneNumberId;
  // On PARTNER_REMOVED the entry's id is the business portfolio; the WABA stands in waba_info.
  const waba = externalIdOf(asObject(value?.waba_info)?.waba_id) ?? wabaId;
  if (waba !== undefined) connection.wabaId = waba;
  const display = externalIdOf(metadata?.display_phone_number) ?? externalIdOf(value?.phone_number);
  if (display !== undefined) connection.displayPhoneNumber = display;
  return connection;
}
