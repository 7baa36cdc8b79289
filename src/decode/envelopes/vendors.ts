import type { JsonObject } from '../../model/json.js';
import { asObject } from '../read.js';

/**
 * Which vendor's own shape an unreadable entry has, where a vendor re-writes Meta's body instead of forwarding it. Such
 * entries are stored and shown, never guessed at: they lack ids, times or directions that the rules need. Asked last, as a
 * row with Meta's own body may have any column beside it.
 */
export function vendorShape(value: JsonObject): string | undefined {
  if (typeof value.app === 'string' && value.version === 2 && typeof value.type === 'string')
    return 'gupshup_v2';
  if (typeof value.type === 'string' && value.type.startsWith('whatsapp.')) return 'ycloud';
  if (typeof value.SmsMessageSid === 'string' || typeof value.MessageSid === 'string') return 'twilio';
  if (typeof value.whatsappMessageId === 'string' || typeof value.waId === 'string') return 'wati';
  if (typeof value.message_uuid === 'string') return 'vonage';
  const data = asObject(value.data);
  if (typeof data?.event_type === 'string' && typeof data.record_type === 'string') return 'telnyx';
  if (value.service === 'channels' && typeof value.event === 'string') return 'bird';
  return undefined;
}

/**
 * What a program sent to Meta, or Meta's answer to it: both stand in some logs beside the webhooks, and look like a value
 * with messages. Asked first, as an answer's `messages` were never received.
 */
export function graphApiShape(value: JsonObject): string | undefined {
  if (value.messaging_product !== 'whatsapp' || value.metadata !== undefined) return undefined;
  if (typeof value.to === 'string' || typeof value.recipient === 'string') return 'graph_api_request';
  const contact = Array.isArray(value.contacts) ? asObject(value.contacts[0]) : undefined;
  return contact?.input === undefined ? undefined : 'graph_api_response';
}
