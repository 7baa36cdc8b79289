import { chooseBest, isFile, type PruneForm, type RepairForm, type RepairStep } from './repair.js';
import { placeAndCards } from './web-content.js';

const HOUR_MS = 3_600_000;
const INDEX = 'wa_reconcile_message_key';

/** The key id of the CRM's channel: the Cloud API's instances hold wamids, WhatsApp Web's the key id inside. */
const KEY_ID = `case when i.integration = 'WHATSAPP-BUSINESS' then l.external_id else coalesce(l.stanza_id, l.external_id) end`;

/** Every name the person's chat may have; the first known one wins. */
const NAMES = `array[l.contact]
      || (select coalesce(array_agg(number || '@s.whatsapp.net' order by place), '{}')
          from unnest(l.numbers) with ordinality as n (number, place))
      || array[l.lid]`;

/** The contact of the person's messages there, else their chat, else the number as WhatsApp writes it, else the LID. */
const REMOTE_JID = `coalesce(l.contact, c.remote_jid, l.numbers[1] || '@s.whatsapp.net', l.lid)`;

const MEDIA_OBJECT = `jsonb_strip_nulls(jsonb_build_object(
    'mimetype', l.mime_type, 'caption', l.body, 'fileName', l.file_name, 'id', l.media_id))`;

/** The undo file creates it, too: it must not fail if the repair never ran. */
function olderMessages(run: string): RepairStep {
  return {
    does: 'A list, for the undo file, of messages that were there before their chat.',
    sql: `create table if not exists wa_reconcile_${run} as select id from "Message" where false`,
  };
}

/**
 * Evolution API 2.x. Its messages have no unique key but their own id, so what is there is found by an index of our own. READ,
 * because any other status counts as unread; older than six hours, because younger rows are pushed on into Chatwoot.
 */
export const EVOLUTION_REPAIR: RepairForm = {
  crm: 'evolution',
  minimumAgeMs: 6 * HOUR_MS,
  isStoredAsText: (message) =>
    message.type !== 'text' && !isFile(message) && message.place === null && message.cards === null,
  before: () => [
    {
      does:
        'Without this index, every look-up by WhatsApp’s id would read the whole instance. Built beside running writers. ' +
        'In two sessions at once, one fails, and nothing is lost: run it again.',
      sql: `create index concurrently if not exists ${INDEX} on "Message" ("instanceId", (key->>'id'))`,
    },
  ],
  steps: (run) => [
    {
      does: 'Each message with its chat and id, in Evolution’s terms.',
      sql: `
create temporary table wr_rows on commit drop as
select l.position, l.connection, l.name, l.at, ${KEY_ID} as key_id, ${REMOTE_JID} as remote_jid,
  c.remote_jid is not null as has_chat, '{}'::jsonb as alternative,
  l.direction = 'OUTBOUND' as from_me,
  case when l.type in ('image', 'video', 'audio', 'document', 'sticker') then l.type || 'Message'
    when l.place is not null then 'locationMessage'
    when jsonb_array_length(l.cards) = 1 then 'contactMessage'
    when l.cards is not null then 'contactsArrayMessage'
    else 'conversation' end as message_type,
  case l.type when 'image' then jsonb_build_object('imageMessage', ${MEDIA_OBJECT})
    when 'video' then jsonb_build_object('videoMessage', ${MEDIA_OBJECT})
    when 'audio' then jsonb_build_object('audioMessage', ${MEDIA_OBJECT} - 'caption')
    when 'document' then jsonb_build_object('documentMessage', ${MEDIA_OBJECT})
    when 'sticker' then jsonb_build_object('stickerMessage', ${MEDIA_OBJECT} - 'caption')
    else case
      ${placeAndCards('l')}
      else jsonb_build_object('conversation', coalesce(l.body, '[' || l.type || ']')) end
    end as message,
  case when l.quoted_id is null then null else jsonb_build_object('stanzaId', l.quoted_id) end as context_info
from wr_lost l
join "Instance" i on i.id = l.connection
left join lateral (
  select known.name as remote_jid
  from unnest(${NAMES}) with ordinality as known (name, place)
  join "Chat" c on c."instanceId" = l.connection and c."remoteJid" = known.name
  order by known.place limit 1
) c on true
where ${REMOTE_JID} is not null`,
    },
    {
      does: 'The other address of people whose messages name two, as newer ones by LID do.',
      sql: `
update wr_rows r set alternative = k.alternative
from (
  select distinct on (p.connection, p.remote_jid) p.connection, p.remote_jid,
    jsonb_strip_nulls(jsonb_build_object(
      'remoteJidAlt', m.key->'remoteJidAlt', 'addressingMode', m.key->'addressingMode')) as alternative
  from (select distinct connection, remote_jid from wr_rows) p
  join "Message" m on m."instanceId" = p.connection and m.key->>'remoteJid' = p.remote_jid
  where m.key->>'remoteJidAlt' is not null
  order by p.connection, p.remote_jid, m."messageTimestamp" desc
) k
where k.connection = r.connection and k.remote_jid = r.remote_jid`,
    },
    olderMessages(run),
    {
      does: 'Chats of people that the instance has none of. Messages that they have already are none that come later.',
      sql: `
with made as (
insert into "Chat" (id, "remoteJid", name, "createdAt", "updatedAt", "instanceId", "unreadMessages")
select 'wr_${run}_c' || min(r.position), r.remote_jid, left(max(r.name), 100), max(r.at) at time zone 'UTC',
  max(r.at) at time zone 'UTC', r.connection, 0
from wr_rows r
where not r.has_chat
group by r.connection, r.remote_jid
returning "instanceId", "remoteJid"
)
insert into wa_reconcile_${run}
select m.id from made c join "Message" m on m."instanceId" = c."instanceId" and m.key->>'remoteJid' = c."remoteJid"`,
    },
    {
      does: 'The messages that are not there, oldest first.',
      sql: `
insert into "Message" (id, key, "pushName", "messageType", message, "contextInfo", source, "messageTimestamp", "instanceId", status)
select 'wr_${run}_' || lpad(r.position::text, 9, '0'),
  jsonb_build_object('id', r.key_id, 'fromMe', r.from_me, 'remoteJid', r.remote_jid) || r.alternative,
  case when r.from_me then null else left(r.name, 100) end, r.message_type, r.message, r.context_info, 'unknown',
  extract(epoch from r.at)::int, r.connection, 'READ'
from wr_rows r
where not exists (select from "Message" m where m."instanceId" = r.connection and m.key->>'id' = r.key_id)
order by r.position`,
    },
  ],
  undo: (run) => [
    olderMessages(run),
    {
      does: 'The messages of this repair.',
      sql: `delete from "Message" where starts_with(id, 'wr_${run}_')`,
    },
    {
      does: 'Its chats, where nothing else came into them.',
      sql: `
delete from "Chat" c
where starts_with(c.id, 'wr_${run}_c')
  and not exists (
    select from "Message" m
    where m."instanceId" = c."instanceId" and m.key->>'remoteJid' = c."remoteJid"
      and not exists (select from wa_reconcile_${run} old where old.id = m.id))`,
    },
    { does: 'The list of the repair.', sql: `drop table wa_reconcile_${run}` },
  ],
  undoAfter: () => [{ does: 'The index of the repair.', sql: `drop index concurrently if exists ${INDEX}` }],
};

/** The undo file creates them, too: it must not fail if nothing was removed. */
function removedTables(run: string): RepairStep[] {
  return [
    {
      does: 'Tables of what is removed or moved.',
      sql: `create table if not exists wa_reconcile_${run}_message as select * from "Message" where false`,
    },
    {
      does: 'The same for files.',
      sql: `create table if not exists wa_reconcile_${run}_media as select * from "Media" where false`,
    },
    {
      does: 'The same for status updates.',
      sql: `create table if not exists wa_reconcile_${run}_update as select id, "messageId" from "MessageUpdate" where false`,
    },
  ];
}

/**
 * Duplicates of Evolution API: status updates and the file of a duplicate go over to the row that stays, which has them only
 * once.
 */
export const EVOLUTION_PRUNE: PruneForm = {
  crm: 'evolution',
  steps: (run) => [
    chooseBest({
      table: '"Message"',
      key: 'text',
      isSame: `m."instanceId" = d."instanceId" and m.key->>'id' = d.key->>'id'`,
      // Later edits or deletions are what people see; the other copy would restore the old text.
      status: `coalesce(array_position(
      array['ERROR', 'FAILED', 'PENDING', 'SERVER_ACK', 'SENT', 'DELIVERY_ACK', 'DELIVERED', 'READ', 'PLAYED', 'EDITED', 'DELETED'],
      upper(m.status)), 0)`,
      hasFile: `(m.message->>'mediaUrl' is not null
      or exists (select from "Media" f where f."messageId" = m.id))`,
      age: 'm."messageTimestamp"',
    }),
    ...removedTables(run),
    {
      does: 'What they hold.',
      sql: `insert into wa_reconcile_${run}_message select m.* from "Message" m join wr_rows r on r.double = m.id`,
    },
    {
      does: 'Their files.',
      sql: `insert into wa_reconcile_${run}_media select f.* from "Media" f join wr_rows r on r.double = f."messageId"`,
    },
    {
      does: 'Their status updates.',
      sql: `
insert into wa_reconcile_${run}_update
select u.id, u."messageId" from "MessageUpdate" u join wr_rows r on r.double = u."messageId"`,
    },
    {
      does: 'Status updates go to the row that stays.',
      sql: `update "MessageUpdate" u set "messageId" = r.kept from wr_rows r where r.double = u."messageId"`,
    },
    {
      does: 'So does the file of the first duplicate, where the row that stays has none.',
      sql: `
update "Media" f set "messageId" = r.kept
from (
  select distinct on (r.kept) r.kept, f.id
  from wr_rows r join "Media" f on f."messageId" = r.double
  where not exists (select from "Media" own where own."messageId" = r.kept)
  order by r.kept, r.double
) r
where f.id = r.id`,
    },
    { does: 'The duplicates.', sql: `delete from "Message" m using wr_rows r where r.double = m.id` },
  ],
  undo: (run) => [
    ...removedTables(run),
    {
      does: 'The rows as they were.',
      sql: `insert into "Message" select * from wa_reconcile_${run}_message on conflict (id) do nothing`,
    },
    {
      does: 'Files that went over to another row.',
      sql: `
update "Media" f set "messageId" = b."messageId" from wa_reconcile_${run}_media b where b.id = f.id`,
    },
    {
      does: 'Files that were removed.',
      sql: `insert into "Media" select * from wa_reconcile_${run}_media on conflict (id) do nothing`,
    },
    {
      does: 'Status updates.',
      sql: `update "MessageUpdate" u set "messageId" = b."messageId" from wa_reconcile_${run}_update b where b.id = u.id`,
    },
    {
      does: 'The tables of this repair.',
      sql: `drop table wa_reconcile_${run}_message, wa_reconcile_${run}_media, wa_reconcile_${run}_update`,
    },
  ],
};
