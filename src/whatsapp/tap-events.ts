import { type BaileysEventMap, BufferJSON, type WASocket } from './baileys.js';
import type { LogLine } from './baileys-log.js';

/** An event as Baileys made it. */
export type EventTap = (event: keyof BaileysEventMap, data: unknown) => void;

/**
 * Taps every event before Baileys' buffer gets it. The buffer cuts `messaging-history.set`: mappings of LIDs are
 * dropped nearly always, and chats and messages that this connection has seen before, with them the flag that nothing
 * is older. Call directly after creating the socket.
 *
 * Baileys emits in the middle of its own work on a message: an exception here would end that work and lose the key or
 * the history in the message, which is already confirmed to WhatsApp. So a failing tap is only logged.
 */
export function tapEvents(sock: WASocket, tap: EventTap, log: LogLine): void {
  const emit = sock.ev.emit.bind(sock.ev);
  sock.ev.emit = (event, data) => {
    try {
      tap(event, data);
    } catch (error) {
      log(
        `whatsapp: ${event} could not be processed: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    return emit(event, data);
  };
}

/** Whether an event that was tapped has this name. */
export function isEvent<Name extends keyof BaileysEventMap>(
  name: Name,
  event: keyof BaileysEventMap,
  data: unknown,
): data is BaileysEventMap[Name] {
  return event === name && data !== undefined;
}

/** The whole event as it is stored and replayed: `{event, data}` as JSON; enumerations by name, bytes in base64. */
export function rawEvent(event: keyof BaileysEventMap, data: unknown): Uint8Array {
  return Buffer.from(JSON.stringify({ event, data }, BufferJSON.replacer));
}
