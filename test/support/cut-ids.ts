import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { ANA, T0 } from './webhooks.js';

/** A message as WhatsApp-Chat-Exporter writes it of an iPhone. */
export function cut(key: string, at: number, parts: Record<string, JsonValue> = {}): JsonObject {
  return {
    whatsapp_chat_exporter: { chat: `${ANA}@s.whatsapp.net`, type: 'ios' },
    row: key,
    message: {
      from_me: false,
      timestamp: T0 + at,
      media: false,
      key_id: key.slice(0, 17),
      meta: false,
      data: 'do telefone',
      mime: null,
      message_type: 0,
      sticker: false,
      reactions: {},
      ...parts,
    },
  };
}
