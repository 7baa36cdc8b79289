import { parseJid } from '../../identity/jid.js';
import { canonicalPhone, phoneEquivalents } from '../../identity/phone.js';
import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';
import { storedPhone } from '../connections/find.js';
import type { DeviceView } from './result.js';

/** Whether two numbers are one phone by rule I1: Brazil's ninth digit, Mexico's 1, Argentina's 9. */
export function isSamePhone(one: string, other: string): boolean {
  const [a, b] = [canonicalPhone(one), canonicalPhone(other)];
  if (a === undefined || b === undefined) return false;
  return a === b || phoneEquivalents(a).includes(b);
}

/** The number that a device of this connection must belong to. Throws ConfigError when it cannot have one. */
export function ownNumberOf(connection: ConnectionRecord): string {
  if (connection.kind === 'cloud_api') {
    throw new ConfigError(
      `The connection '${connection.name}' is a pure Cloud API number: no device can be linked to it.`,
      {
        code: 'connection_not_linkable',
        remedy:
          'Only a number that is also in use in the WhatsApp Business app has linked devices (coexistence), or one of kind baileys.',
      },
    );
  }
  const phone = storedPhone(connection.displayPhoneNumber);
  if (phone === undefined) {
    throw new ConfigError(`The number of the connection '${connection.name}' is not known.`, {
      code: 'connection_without_phone',
      remedy: [
        'Give it, so that no other phone is linked by mistake; for example:',
        remedy('connection edit', [connection.id, '--phone', '+5511912345678'], 'sets the number'),
      ],
    });
  }
  return phone;
}

/** `5511…:12@s.whatsapp.net` as people read it. */
export function deviceViewOf(accountId: string): DeviceView {
  const { user } = parseJid(accountId);
  const number = /:(\d+)@/.exec(accountId)?.[1];
  return { phone: canonicalPhone(user) ?? null, device: Number(number ?? 0) };
}
