import { identitiesOfUser, mergeIdentities } from '../../identity/identities.js';
import { decodeWamid, isWamid } from '../../identity/wamid.js';
import { CRM_NAMES, type Provider } from '../../model/enumerations.js';
import type { Fact, Identities } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { rejected } from '../baileys/outcomes.js';
import type { DecodeOptions } from '../options.js';
import { asArray, asObject, externalIdOf, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import type { VendorReading } from '../vendors/vendors.js';

/**
 * A row of a CRM, as `compare --adopt` stores it: the row in this tool's terms, beside the original row.
 *
 * `{"crm": "evolution", "message": {"external_id", "direction", "people": ["5511…@s.whatsapp.net"], "timestamp",
 * "type", "body", "stored_at"}, "row": {…}}`, or `"people"` in place of `"message"` for names that the CRM knows to be
 * one person's.
 */
export function recognizeCrmRow(
  object: JsonObject,
): ((options: DecodeOptions & { path: string }) => VendorReading) | undefined {
  const crm = CRM_NAMES.find((name) => name === object.crm);
  if (crm === undefined || asObject(object.row) === undefined) return undefined;
  const message = asObject(object.message);
  const people = asArray(object.people);
  if (message === undefined && people === undefined) return undefined;
  const provider: Provider = `crm:${crm}`;
  return ({ path }) => {
    const facts =
      message === undefined
        ? linkFacts(identitiesOf(people), `${path}.people`)
        : messageFacts(message, `${path}.message`);
    return {
      provider,
      sections: [{ path, field: provider, connection: {}, facts, eventOnly: false }],
      unrecognized: [],
    };
  };
}

function messageFacts(message: JsonObject, path: string): Fact[] {
  const counterpart = identitiesOf(asArray(message.people));
  const id = typeof message.external_id === 'string' ? externalIdOf(message.external_id) : undefined;
  if (id === undefined) return [rejected('message', 'missing_id', path, message)];
  const own = parseTimestamp(message.timestamp);
  const at = own ?? parseTimestamp(message.stored_at);
  if (at === undefined) return [rejected('message', 'bad_timestamp', path, message)];
  const wamid = isWamid(id) ? decodeWamid(id) : undefined;
  const stanzaId = isWamid(id) ? wamid?.stanzaId : id;
  const body = textOf(message.body);
  return [
    {
      kind: 'message',
      path,
      origin: 'adopted',
      externalId: id,
      ...(stanzaId === undefined ? {} : { stanzaId }),
      ...(wamid === undefined ? {} : { wamidPhone: wamid.phone }),
      counterpart,
      direction: message.direction === 'OUTBOUND' ? 'OUTBOUND' : 'INBOUND',
      timestamp: at,
      type: textOf(message.type) ?? 'unknown',
      ...(body === undefined ? {} : { body }),
      // A secondhand copy: WhatsApp's own content, from any source, is better.
      grade: 'media_without_id',
      isSyncInitial: false,
      ...(own === undefined ? { rawMeta: { timestampFrom: 'crm_stored_at' } } : {}),
    },
    ...linkFacts(counterpart, path),
  ];
}

/** Several names in one row are evidence of one person (I3). */
function linkFacts(who: Identities, path: string): Fact[] {
  const names = [who.phone, who.lid, ...(who.bsuids ?? [])].filter((name) => name !== undefined);
  return names.length > 1 ? [{ kind: 'identity_link', path, who: [who] }] : [];
}

function identitiesOf(people: readonly unknown[] | undefined): Identities {
  return (people ?? []).reduce<Identities>(
    (all, one) => (typeof one === 'string' ? mergeIdentities(all, identitiesOfUser(one)) : all),
    {},
  );
}
