import { isMarked, markedId, type RepairForm, type RepairStep } from './repair.js';
import { placeAndCards } from './web-content.js';

const HOUR_MS = 3_600_000;

/** The dialect's name for the contact, and every other name the person may have there; the first known one wins. */
const KNOWN_NUMBERS = `array[l.contact, replace(l.contact, '@lid', ''), replace(l.contact, '@s.whatsapp.net', '')]
        || l.numbers || array[l.lid, replace(l.lid, '@lid', '')]`;

const FILES = `('image', 'video', 'audio', 'document', 'sticker')`;

/** Baileys' numbers, which both show as ticks. */
const ACK = `case when r.direction = 'INBOUND' then 0 else
    case r.status when 'failed' then -1 when 'pending' then 1 when 'delivered' then 3 when 'read' then 4 when 'played' then 5
      else 2 end end`;

/** SQL cannot restore a file: the text says which one is missing. */
const BODY = `case
    when r.type in ${FILES} then concat_ws(' ', '[' || concat_ws(' ', r.type, r.file_name) || ']', r.body)
    else coalesce(r.body, '[' || r.type || ']') end`;

/** The message as WhatsApp Web would have given it, from which these CRMs quote; `wa_reconcile_repair` is the mark of the repair. */
function dataJson(run: string): string {
  const file = `jsonb_strip_nulls(jsonb_build_object('mimetype', r.mime_type, 'caption', r.body, 'fileName', r.file_name))`;
  return `jsonb_build_object(
    'key', jsonb_build_object('id', r.key_id, 'fromMe', r.direction = 'OUTBOUND', 'remoteJid', r.remote_jid),
    'messageTimestamp', extract(epoch from r.at)::bigint, 'pushName', case r.direction when 'INBOUND' then r.name end,
    'message', case
      when r.type in ${FILES} then jsonb_build_object(r.type || 'Message', ${file})
      ${placeAndCards('r')}
      else jsonb_build_object('conversation', ${BODY}) end,
    'wa_reconcile_repair', '${run}')::text`;
}

/** Columns that ticketz and the forks with `wid` have in common; their keys differ. */
const COLUMNS = `"ticketId", "contactId", "companyId", body, ack, read, "fromMe", "isDeleted", "remoteJid", "dataJson",
    "createdAt", "updatedAt"`;

function valuesOf(run: string): string {
  return `r.ticket_id, case r.direction when 'INBOUND' then r.contact_id end, r.company_id,
    ${BODY},
    ${ACK}, true, r.direction = 'OUTBOUND', false, r.remote_jid,
    ${dataJson(run)},
    r.at, r.at
  from wr_rows r
  where r.ticket_id is not null
  order by r.position`;
}

/** Statements for the forks with `wid`, and for ticketz: a block looks at columns only when it comes to them. */
function byKey(wid: string, id: string): string {
  return `
do $block$
begin
  if exists (select from pg_attribute where attrelid = '"Messages"'::regclass and attname = 'wid' and not attisdropped) then
    ${wid.trim()};
  else
    ${id.trim()};
  end if;
end
$block$`;
}

function withoutThoseThere(key: 'wid' | 'id'): string {
  return `
delete from wr_rows r using "Messages" m, "Tickets" t
    where m.${key} = r.key_id and t.id = m."ticketId" and t."whatsappId" = r.whatsapp_id`;
}

function bearsMark(run: string): string {
  return `m."dataJson" like '%"wa_reconcile_repair": "${run}"%'`;
}

function quotes(run: string, key: 'wid' | 'id'): string {
  return `
update "Messages" m set "quotedMsgId" = q.id
    from wr_rows r, "Messages" q
    where m."ticketId" = r.ticket_id and m.${key} = r.key_id and ${bearsMark(run)}
      and q.${key} = r.quoted_id and q."companyId" = m."companyId" and m."quotedMsgId" is null`;
}

/** Lists for the undo file, which creates them too: it must not fail if the repair never ran. */
function lists(run: string): RepairStep[] {
  return [
    {
      does: 'The contacts that this repair makes, for the undo file.',
      sql: `create table if not exists wa_reconcile_${run} as select id from "Contacts" where false`,
    },
    {
      does: 'The same for the tickets that its messages are in.',
      sql: `create table if not exists wa_reconcile_${run}_tickets as select id from "Tickets" where false`,
    },
  ];
}

/**
 * ticketz, and the forks that keep WhatsApp's id in `wid`: the lost messages of a contact become a closed ticket of their own, with
 * the times of its messages. A live ticket that is touched would come to the top of its list, and a closed one that changed in the
 * last two hours is opened again by the contact's next message. Some forks allow a contact one ticket only (a unique key over
 * contact, company and connection): there they go into that one while it is closed, without a change of it.
 */
export const TICKETZ_REPAIR: RepairForm = {
  crm: 'ticketz',
  minimumAgeMs: 2 * HOUR_MS,
  // A file is on no disk, and how each fork shows a place or a contact is its own.
  isStoredAsText: ({ type }) => type !== 'text',
  steps: (run) => [
    {
      does: 'Stops where a connection is not there any more.',
      sql: `
do $check$
begin
  if exists (select from wr_lost l where not exists (select from "Whatsapps" w where w.id::text = l.connection)) then
    raise exception 'A connection of these messages is not in "Whatsapps"';
  end if;
end
$check$`,
    },
    {
      does: 'Each message with its contact, as far as the company has it.',
      sql: `
create temporary table wr_rows on commit drop as
select l.*, coalesce(l.stanza_id, l.external_id) as key_id, w.id as whatsapp_id, w."companyId" as company_id,
  k.id as contact_id, coalesce(l.numbers[1], l.lid, l.contact) as number,
  coalesce(l.numbers[1] || '@s.whatsapp.net', l.lid, l.contact) as remote_jid, null::int as ticket_id
from wr_lost l
join "Whatsapps" w on w.id::text = l.connection
left join lateral (
  select c.id
  from unnest(${KNOWN_NUMBERS}) with ordinality as known (number, place)
  join "Contacts" c
    on (c.number = known.number or c.id = substring(known.number from '^contact (\\d+)$')::int)
    and c."companyId" = w."companyId"
  where not c."isGroup"
  order by known.place limit 1
) k on true`,
    },
    {
      does: 'The contact that a LID is known to be of.',
      sql: `
do $block$
begin
  if to_regclass('"WhatsappLidMaps"') is not null then
    update wr_rows r set contact_id = p."contactId"
    from "WhatsappLidMaps" p where r.contact_id is null and p.lid = r.lid and p."companyId" = r.company_id;
  end if;
end
$block$`,
    },
    {
      does: 'Only those that the connection does not have.',
      sql: byKey(withoutThoseThere('wid'), withoutThoseThere('id')),
    },
    ...lists(run),
    {
      does: 'People that the company does not have.',
      sql: `
with made as (
  insert into "Contacts" (name, number, "isGroup", "companyId", "createdAt", "updatedAt")
  select coalesce(max(r.name), r.number), r.number, false, r.company_id, min(r.at), max(r.at)
  from wr_rows r where r.contact_id is null group by r.company_id, r.number
  returning id
)
insert into wa_reconcile_${run} select id from made`,
    },
    {
      does: 'Each message with its new contact.',
      sql: `
update wr_rows r set contact_id = c.id
from "Contacts" c where r.contact_id is null and c.number = r.number and c."companyId" = r.company_id`,
    },
    {
      does: 'A closed ticket for each contact and connection, as old as its messages; none where only one ticket is allowed.',
      sql: `
with made as (
  insert into "Tickets" (uuid, status, "lastMessage", "contactId", "whatsappId", "companyId", "isGroup", "unreadMessages",
    "createdAt", "updatedAt")
  select ${markedId(run)}, 'closed', (array_agg(coalesce(r.body, '[' || r.type || ']') order by r.position desc))[1],
    r.contact_id, r.whatsapp_id, r.company_id, false, 0, min(r.at), max(r.at)
  from wr_rows r group by r.contact_id, r.whatsapp_id, r.company_id
  on conflict do nothing
  returning id, "contactId", "whatsappId"
)
update wr_rows r set ticket_id = made.id
from made where made."contactId" = r.contact_id and made."whatsappId" = r.whatsapp_id`,
    },
    {
      does: 'There the one that the contact has, if it is closed. It stays as it is, and so does its place in the lists.',
      sql: `
update wr_rows r set ticket_id = t.id
from "Tickets" t
where r.ticket_id is null and t."contactId" = r.contact_id and t."whatsappId" = r.whatsapp_id
  and t."companyId" = r.company_id and t.status = 'closed'`,
    },
    {
      does: 'Says how many messages have no ticket: nothing old comes into a conversation that is going on.',
      sql: `
do $check$
declare
  waiting bigint;
begin
  select count(*) into waiting from wr_rows where ticket_id is null;
  if waiting > 0 then
    raise warning '% messages are left out: the only ticket that their contacts can have is not closed', waiting
      using hint = 'Close these tickets and run this file again, or write the messages as data: --repair FILE.ndjson.';
  end if;
end
$check$`,
    },
    {
      does: 'The tickets, for the undo file.',
      sql: `
insert into wa_reconcile_${run}_tickets
select distinct r.ticket_id from wr_rows r
where r.ticket_id is not null and not exists (select from wa_reconcile_${run}_tickets k where k.id = r.ticket_id)`,
    },
    {
      does: 'The messages, oldest first. Their files are not in them: a text says which one is missing.',
      sql: byKey(
        `insert into "Messages" (wid, ${COLUMNS})\n  select r.key_id, ${valuesOf(run)}`,
        `insert into "Messages" (id, ${COLUMNS})\n  select r.key_id, ${valuesOf(run)}`,
      ),
    },
    {
      does: 'The messages that they quote.',
      sql: byKey(quotes(run, 'wid'), quotes(run, 'id')),
    },
  ],
  undo: (run) => [
    ...lists(run),
    {
      does: 'The messages of this repair.',
      sql: `
delete from "Messages" m using wa_reconcile_${run}_tickets k where m."ticketId" = k.id and ${bearsMark(run)}`,
    },
    {
      does: 'Its tickets, where nothing else came into them.',
      sql: `
delete from "Tickets" t
where ${isMarked(run, 't.uuid')} and not exists (select from "Messages" m where m."ticketId" = t.id)`,
    },
    {
      does: 'Its contacts, where nothing else came to them.',
      sql: `
delete from "Contacts" c using wa_reconcile_${run} made
where c.id = made.id and not exists (select from "Tickets" t where t."contactId" = c.id)
  and not exists (select from "Messages" m where m."contactId" = c.id)`,
    },
    { does: 'The lists of the repair.', sql: `drop table wa_reconcile_${run}, wa_reconcile_${run}_tickets` },
  ],
};
