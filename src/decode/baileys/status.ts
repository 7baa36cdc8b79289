import type { MessageStatus } from '../../model/enumerations.js';
import type { MessageOrigin } from '../../model/facts.js';
import type { JsonValue } from '../../model/json.js';
import { enumOf } from './proto-values.js';

/** proto.WebMessageInfo.Status */
const STATUS_NUMBERS = {
  ERROR: 0,
  PENDING: 1,
  SERVER_ACK: 2,
  DELIVERY_ACK: 3,
  READ: 4,
  PLAYED: 5,
} as const;
const STATUSES: readonly MessageStatus[] = ['failed', 'pending', 'sent', 'delivered', 'read', 'played'];

/** A status by its number or name; undefined for one that this version of WhatsApp Web does not know. */
export function statusOf(value: JsonValue | undefined): MessageStatus | undefined {
  const number = enumOf(value, STATUS_NUMBERS);
  return number === undefined ? undefined : STATUSES[number];
}

/** What arrived here was delivered, whatever the record says; what was sent from the phone was at least sent. */
export function provenStatus(
  origin: MessageOrigin,
  status: MessageStatus | undefined,
): MessageStatus | undefined {
  if (origin === 'live') return status === 'read' || status === 'played' ? status : 'delivered';
  return origin === 'echo' ? (status ?? 'sent') : status;
}
