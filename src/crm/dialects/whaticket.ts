import { parseJid } from '../../identity/jid.js';
import { canonicalPhone } from '../../identity/phone.js';
import type {
  CrmConnection,
  CrmRecord,
  CrmTable,
  CrmTables,
  Dialect,
  HasColumn,
  KeptQuestion,
  NotKeptReason,
} from '../crm.js';
import { wordIn } from '../record.js';
import { readWhaticketRow } from './whaticket-rows.js';

/** The key of tickets whose connection was deleted, as Whaticket's users do to link a number again. */
const NO_CONNECTION = 'none';

const MESSAGES = ['id', 'body', 'fromMe', 'mediaType', 'ticketId', 'createdAt'];
const TABLES: readonly CrmTable[] = [
  { table: 'Whatsapps', columns: ['id', 'name', 'session', 'status'] },
  { table: 'Tickets', columns: ['id', 'status', 'contactId', 'whatsappId', 'isGroup'] },
  { table: 'Contacts', columns: ['id', 'name', 'number', 'profilePicUrl', 'isGroup'] },
];

/**
 * What the whole family has in common: Sequelize's quoted tables, a message belongs to a ticket, a ticket to a contact and a
 * connection. Forks add columns, and are read by those that are there.
 */
const FAMILY = {
  tables: TABLES,
  contactFiles: ['Tickets', 'Contacts'],
  optionalTables: [{ table: 'WhatsappLidMaps', columns: ['id', 'lid', 'contactId'] }],
  connectionsQuery,
  readConnection,
  messagesQuery,
  // Only a message's ticket names its connection.
  isReadAtOnce: true,
  readRow: readWhaticketRow,
  join,
} satisfies Partial<Dialect>;

/** ticketz, and the forks for several companies that keep WhatsApp's id in `wid`: both keep WhatsApp Web's own message. */
export const TICKETZ: Dialect = {
  ...FAMILY,
  name: 'ticketz',
  title: 'ticketz',
  messages: { table: 'Messages', columns: [...MESSAGES, 'dataJson', 'companyId'] },
  version: (has) => (has('Messages', 'wid') ? WID_FORK : TICKETZ),
  notKept: (question) => notKept(question, TICKETZ_OUTBOUND),
  bodyOfEdited: 'latest',
};

const WID_FORK: Dialect = { ...TICKETZ, notKept: (question) => notKept(question, FORK_OUTBOUND) };

/** whaticket-community and Press-Ticket on PostgreSQL: they do not store when a message was sent. */
export const WHATICKET: Dialect = {
  ...FAMILY,
  name: 'whaticket',
  title: 'Whaticket',
  messages: { table: 'Messages', columns: MESSAGES },
  // A row names no contact of a message that the business sent.
  neededFiles: ['Tickets', 'Contacts'],
  notKept: (question) => notKept(question, COMMUNITY_OUTBOUND),
  bodyOfEdited: 'any',
};

/** Where a session names the number that it is linked to. */
const OWN_NUMBER = String.raw`"me":\s*\{"id":\s*"(\d+)`;

function connectionsQuery(has: HasColumn): string {
  // A session holds WhatsApp Web's keys: only the number leaves the database. What has no connection comes last: a repair goes to
  // the first one that is matched.
  return `
    select w.id::text as id, w.name, ${has('Whatsapps', 'number') ? 'w.number' : 'null as number'},
      substring(w.session from '${OWN_NUMBER}') as me, 1 as place
    from "Whatsapps" w
    union all
    select '${NO_CONNECTION}', 'tickets without a connection', null, null, 2
    where exists (select from "Tickets" where "whatsappId" is null)
    order by place, name, id`;
}

function readConnection(record: CrmRecord): CrmConnection {
  const number =
    wordIn(record, 'number') ??
    wordIn(record, 'me') ??
    new RegExp(OWN_NUMBER).exec(wordIn(record, 'session') ?? '')?.[1];
  return {
    key: wordIn(record, 'id') ?? '',
    name: wordIn(record, 'name') ?? '',
    phoneNumberId: null,
    phone: (number === undefined ? undefined : canonicalPhone(parseJid(number).user)) ?? null,
    isCloudApi: false,
  };
}

/** Columns of messages that only some of the family have. */
const OPTIONAL = ['wid', 'dataJson', 'remoteJid', 'isPrivate', 'isDeleted', 'channel'];

/** A contact may have several; any of them names the person. */
const LIDS_OF_CONTACTS = `left join (
      select "contactId", min(lid) as lid from "WhatsappLidMaps" group by "contactId"
    ) l on l."contactId" = c.id`;

function messagesQuery(has: HasColumn): string {
  const columns = [...MESSAGES, ...OPTIONAL.filter((name) => has('Messages', name))];
  const hasMaps = has('WhatsappLidMaps', 'lid');
  const lid = hasMaps ? 'l.lid' : has('Contacts', 'lid') ? 'c.lid' : 'null';
  return `
    select ${columns.map((name) => `m."${name}"`).join(', ')},
      coalesce(t."whatsappId"::text, '${NO_CONNECTION}') as "whatsappId", t."isGroup",
      t."contactId" as "ticketContactId", c.number,
      ${has('Tickets', 'channel') ? 't.channel' : 'null'} as "ticketChannel",
      ${has('Contacts', 'numberLid') ? 'c."numberLid"' : 'null'} as "numberLid", ${lid} as lid
    from "Messages" m
    join "Tickets" t on t.id = m."ticketId"
    left join "Contacts" c on c.id = t."contactId"
    ${hasMaps ? LIDS_OF_CONTACTS : ''}
    where t."whatsappId" = any(array_remove($1::text[], '${NO_CONNECTION}')::int[])
      or (t."whatsappId" is null and '${NO_CONNECTION}' = any($1::text[]))`;
}

function join(tables: CrmTables): (message: CrmRecord) => CrmRecord {
  const tickets = tables.get('Tickets');
  const contacts = tables.get('Contacts');
  const lids = new Map<string, string>();
  for (const map of tables.get('WhatsappLidMaps')?.values() ?? []) {
    const [contact, lid] = [wordIn(map, 'contactId'), wordIn(map, 'lid')];
    const known = contact === null ? undefined : lids.get(contact);
    if (contact !== null && lid !== null && (known === undefined || lid < known)) lids.set(contact, lid);
  }
  return (message) => {
    const ticket = tickets?.get(wordIn(message, 'ticketId') ?? '');
    if (ticket === undefined) return message;
    const contactId = wordIn(ticket, 'contactId');
    const contact = contacts?.get(contactId ?? '');
    return {
      ...message,
      whatsappId: wordIn(ticket, 'whatsappId') ?? NO_CONNECTION,
      isGroup: ticket.isGroup,
      ticketContactId: contactId,
      ticketChannel: ticket.channel,
      number: contact?.number,
      numberLid: contact?.numberLid,
      lid: lids.get(contactId ?? '') ?? contact?.lid,
    };
  };
}

const MEDIA = ['image', 'video', 'audio', 'document', 'sticker'];
/** What each keeps of the messages that the business sends from the phone. */
const TICKETZ_OUTBOUND = new Set([...MEDIA, 'text']);
const FORK_OUTBOUND = new Set([...MEDIA, 'text', 'contacts']);
const COMMUNITY_OUTBOUND = new Set([...MEDIA, 'text', 'contacts', 'location']);

/** Of a customer all of them keep these; an unknown content gives no row. */
const INBOUND = new Set([...COMMUNITY_OUTBOUND, 'interactive', 'button', 'template']);

function notKept(
  { type, direction, source, body, isGroup, isBeforeCrm }: KeptQuestion,
  outbound: ReadonlySet<string>,
): NotKeptReason | null {
  if (isGroup) return 'group';
  // They listen to new messages only, and the forks import a past from a day on.
  if (source === 'history' && isBeforeCrm) return 'history';
  if (direction === 'INBOUND') return INBOUND.has(type) ? null : 'type';
  // A mark that the CRM puts before its own messages, to recognize them.
  if (body?.startsWith('\u200e') === true) return 'automatic';
  return outbound.has(type) ? null : 'without_media';
}
