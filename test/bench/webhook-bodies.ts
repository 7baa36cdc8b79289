/** Meta's webhook bodies, as far as the generated log needs them. */

export const BUSINESS_PHONE = '5511900000000';
const METADATA = { display_phone_number: BUSINESS_PHONE, phone_number_id: '800000000000001' };

function body(field: string, value: object): string {
  const change = { value: { messaging_product: 'whatsapp', metadata: METADATA, ...value }, field };
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '900000000000001', changes: [change] }],
  });
}

/** What all messages have, and the part that its type names: `{ text: {…} }`. */
export interface MessageBody {
  from: string;
  id: string;
  /** Seconds since 1970. */
  timestamp: string;
  type: string;
}

export interface Thread {
  id: string;
  messages: (MessageBody & { history_context: { status: string; from_me?: true } })[];
}

export interface ChunkMetadata {
  phase: number;
  chunk_order: number;
  progress: number;
}

export function historyBody(metadata: ChunkMetadata, threads: readonly Thread[]): string {
  return body('history', { history: [{ metadata, threads }] });
}

/** The content of a placeholder, which comes after its chunk. */
export function followUpBody(message: MessageBody): string {
  return body('history', { messages: [message] });
}

export interface StatusBody {
  id: string;
  status: string;
  timestamp: string;
  recipient_id: string;
}

/** A live message; statuses of other messages ride along, as Meta's batches have them. */
export function liveBody(name: string, message: MessageBody, statuses: readonly StatusBody[]): string {
  const contacts = [{ profile: { name }, wa_id: message.from }];
  return body('messages', { contacts, messages: [message], ...(statuses.length === 0 ? {} : { statuses }) });
}

export function echoBody(to: string, message: MessageBody): string {
  return body('smb_message_echoes', { message_echoes: [{ ...message, to }] });
}

export interface BookEntry {
  phone: string;
  name: string;
  timestamp: string;
}

export function addressBookBody(entries: readonly BookEntry[]): string {
  const sync = entries.map(({ phone, name, timestamp }) => ({
    type: 'contact',
    contact: { full_name: name, first_name: name.split(' ')[0], phone_number: phone },
    action: 'add',
    metadata: { timestamp },
  }));
  return body('smb_app_state_sync', { state_sync: sync });
}
