import type { MessageOrigin } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import type { ChangeContext } from './change-context.js';
import { readHistory } from './history.js';
import { readUserIdUpdates } from './identity-changes.js';
import { readMessageLists, readStandby } from './messages.js';
import { readStateSync } from './state-sync.js';

/** A field of Meta's webhooks, and what its values hold. */
export interface Field {
  name: string;
  /** Keys that only a value of this field has: they name the field where a body does not. */
  lists?: readonly string[];
  /** Reads the lists; false when the value has none of them. A field without it is only counted (rule H3). */
  read?: (context: ChangeContext, value: JsonObject) => boolean;
  /**
   * The origin of `messages` under this field; `standby` when the field does not say that this business is to answer
   * them.
   */
  origin?: MessageOrigin;
  /** Only a number that is also in the WhatsApp Business app sends this field. */
  isCoexistence?: true;
}

/**
 * Everything known about Meta's fields: a new one is a reader and a row here. A body without a field gets the first row
 * that has one of its lists, so `messages`, which may be beside any other list, comes after them.
 */
const FIELDS: readonly Field[] = [
  { name: 'history', lists: ['history'], read: readHistory, origin: 'follow_up', isCoexistence: true },
  { name: 'smb_app_state_sync', lists: ['state_sync'], read: readStateSync, isCoexistence: true },
  {
    name: 'smb_message_echoes',
    lists: ['message_echoes'],
    read: readMessageLists,
    origin: 'echo',
    isCoexistence: true,
  },
  { name: 'message_echoes', read: readMessageLists, origin: 'echo' },
  { name: 'standby', lists: ['standby'], read: readStandby },
  { name: 'user_id_update', lists: ['user_id_update'], read: readUserIdUpdates },
  { name: 'messages', lists: ['messages', 'statuses'], read: readMessageLists, origin: 'live' },
  { name: 'user_preferences', lists: ['user_preferences'] },
  { name: 'calls', lists: ['calls'] },
  ...counted(
    'account_alerts',
    'account_review_update',
    'account_settings_update',
    'account_update',
    'automatic_events',
    // Gupshup (v3) sends its bills under a field of its own.
    'billing-event',
    'business_capability_update',
    'business_status_update',
    'business_username_update',
    'business_username_updates',
    'flows',
    'message_status_update',
    'messaging_handovers',
    'partner_solutions',
    'payment_configuration_update',
    'security',
    'tracking_events',
  ),
];

/** Prefixes of fields that are only counted; Meta keeps adding such fields. */
const COUNTED_FAMILIES = ['group_', 'message_template_', 'template_', 'phone_number_'];

const BY_NAME: ReadonlyMap<string, Field> = new Map(FIELDS.map((field) => [field.name, field]));

/** Each reader once: a value is read for every list it has, whatever its field. */
export const READERS = new Set(FIELDS.flatMap(({ read }) => read ?? []));

/** The keys of all lists that are read; any other list of items is reported (rule E1). */
export const ITEM_LISTS: ReadonlySet<string> = new Set(
  FIELDS.flatMap(({ read, lists = [] }) => (read === undefined ? [] : lists)),
);

/**
 * The fields of lists that only count. A value may have one beside its messages: calls arrive under `messages`, too.
 */
export const COUNTED_LISTS: ReadonlyMap<string, string> = new Map(
  FIELDS.flatMap(({ name, read, lists = [] }) =>
    read === undefined ? lists.map((list): [string, string] => [list, name]) : [],
  ),
);

function counted(...names: string[]): Field[] {
  return names.map((name) => ({ name }));
}

/** The field of this name; undefined for one that this version does not know. */
export function fieldNamed(name: string): Field | undefined {
  return (
    BY_NAME.get(name) ?? (COUNTED_FAMILIES.some((family) => name.startsWith(family)) ? { name } : undefined)
  );
}

/** The name of the field to which a value without one belongs, by its lists. */
export function fieldOfValue(value: JsonObject): string | undefined {
  const isList = (key: string): boolean => typeof value[key] === 'object' && value[key] !== null;
  const field = FIELDS.find(({ lists = [] }) => lists.some(isList));
  // Values of every field can have errors; errors alone belong to the messages.
  return field?.name ?? (isList('errors') ? 'messages' : undefined);
}
