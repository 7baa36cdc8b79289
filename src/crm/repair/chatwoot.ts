import { chooseBest, type PruneForm, type RepairForm, type RepairStep } from './repair.js';

const FILES = `('image', 'video', 'audio', 'document', 'sticker')`;

/** SQL cannot restore a file: the text says which one is missing. */
const CONTENT = `case
    when r.type in ${FILES} then concat_ws(' ', '[' || concat_ws(' ', r.type, r.file_name) || ': file not restored]', r.body)
    else coalesce(r.body, '[' || r.type || ']') end`;

/** The dialect's name for the contact, and every other name the person may have there; the first known one wins. */
const KNOWN_NAMES = `array[l.contact, l.contact || '@s.whatsapp.net']
      || (select coalesce(array_agg(form order by place, kind), '{}')
          from unnest(l.numbers) with ordinality as n (digits, place),
            lateral (values (1, '+' || digits), (2, digits || '@s.whatsapp.net')) as forms (kind, form))
      || array[l.lid]`;

function mark(run: string): string {
  return `jsonb_build_object('source', 'wa-reconcile', 'run', '${run}')`;
}

function isMarked(run: string, table: string): string {
  return `${table}.additional_attributes->>'source' = 'wa-reconcile' and ${table}.additional_attributes->>'run' = '${run}'`;
}

/** Rails wrote JSON into a JSON column: what it reads is a text that holds JSON. */
const ATTRIBUTES = `to_json(jsonb_strip_nulls(jsonb_build_object('historical', true,
    'external_echo', case r.direction when 'OUTBOUND' then true end,
    'in_reply_to_external_id', case r.form when 'waid' then 'WAID:' || r.quoted_id else r.quoted_id end))::text)`;

/**
 * Chatwoot on a server of one's own. An old message in an existing conversation would be unreachable by scrolling up,
 * because pages go by id: the lost messages of a contact become a resolved conversation of their own, seen by its
 * agent. SQL runs none of Chatwoot's callbacks, which would send, notify and reopen.
 */
export const CHATWOOT_REPAIR: RepairForm = {
  crm: 'chatwoot',
  // Messages wait in Chatwoot's queues, at times for hours.
  minimumAgeMs: 6 * 3_600_000,
  isStoredAsText: ({ type }) => type !== 'text',
  needsDatabase: 'Chatwoot Cloud takes no SQL, and files of its tables do not say where they are from',
  steps: (run) => [
    {
      does: 'Stops where an inbox is not there any more.',
      sql: `
do $check$
begin
  if exists (select from wr_lost l where not exists (select from inboxes i where i.id::text = l.connection)) then
    raise exception 'An inbox of these messages is not in inboxes';
  end if;
end
$check$`,
    },
    {
      does: 'Each message that the inbox does not have, with the id as the inbox writes it.',
      sql: `
create temporary table wr_rows on commit drop as
select * from (
  select l.*, i.id as inbox_id, i.account_id, i.channel_type, i.form, n.names,
    coalesce(l.numbers[1], l.lid, l.contact) as address, null::bigint as contact_id, null::bigint as contact_inbox_id,
    case i.form when 'wamid' then l.external_id when 'waid' then 'WAID:' || coalesce(l.stanza_id, l.external_id)
      else coalesce(l.stanza_id, l.external_id) end as source_id
  from wr_lost l
  join (
    select i.*, case when i.channel_type = 'Channel::Api' then 'waid'
      when coalesce(w.provider, 'default') in ('default', 'whatsapp_cloud') then 'wamid' else 'key' end as form
    from inboxes i left join channel_whatsapp w on w.id = i.channel_id and i.channel_type = 'Channel::Whatsapp'
  ) i on i.id::text = l.connection
  cross join lateral (select ${KNOWN_NAMES} as names) n
) r
where not exists (
  select from messages m where m.inbox_id = r.inbox_id
    and m.source_id in (r.external_id, r.stanza_id, 'WAID:' || r.external_id, 'WAID:' || r.stanza_id))`,
    },
    {
      does: 'The contact that writes under this number in the inbox.',
      sql: `
update wr_rows r set contact_id = a.contact_id, contact_inbox_id = a.id
from contact_inboxes a
where r.channel_type = 'Channel::Whatsapp' and a.inbox_id = r.inbox_id
  and a.id = (
    select b.id from unnest(array[r.contact] || r.numbers) with ordinality as known (number, place)
    join contact_inboxes b on b.inbox_id = r.inbox_id and b.source_id = known.number
    order by known.place, b.id limit 1)`,
    },
    {
      does: 'Else the contact that the account has, by number or identifier.',
      sql: `
update wr_rows r set contact_id = (
  select p.id from unnest(r.names) with ordinality as known (name, place)
  join contacts p on p.account_id = r.account_id
    and (p.phone_number = known.name or p.identifier = known.name
      or p.id = substring(known.name from '^contact (\\d+)$')::int)
  order by known.place, p.id limit 1)
where r.contact_id is null`,
    },
    {
      does: 'People that the account does not have.',
      sql: `
insert into contacts (name, phone_number, identifier, account_id, contact_type, additional_attributes, last_activity_at,
  created_at, updated_at)
select coalesce(max(r.name), r.address), '+' || max(r.numbers[1]), case when max(r.numbers[1]) is null then r.address end,
  r.account_id, 1, ${mark(run)}, max(r.at) at time zone 'UTC', min(r.at) at time zone 'UTC', max(r.at) at time zone 'UTC'
from wr_rows r where r.contact_id is null group by r.account_id, r.address`,
    },
    {
      does: 'Each message with its new contact.',
      sql: `
update wr_rows r set contact_id = p.id
from contacts p
where r.contact_id is null and p.account_id = r.account_id and ${isMarked(run, 'p')}
  and (p.phone_number = '+' || r.address or p.identifier = r.address)`,
    },
    {
      does: 'The address of each contact in the inbox, where it has one.',
      sql: `
update wr_rows r set contact_inbox_id = (
  select min(a.id) from contact_inboxes a where a.contact_id = r.contact_id and a.inbox_id = r.inbox_id)
where r.contact_inbox_id is null`,
    },
    {
      does: 'Addresses for those without: the number, or in an API inbox any key.',
      sql: `
insert into contact_inboxes (contact_id, inbox_id, source_id, pubsub_token, created_at, updated_at)
select r.contact_id, r.inbox_id,
  case r.channel_type when 'Channel::Whatsapp' then max(coalesce(r.numbers[1], replace(r.lid, '@lid', '')))
    else gen_random_uuid()::text end,
  'wr_${run}_' || gen_random_uuid(), min(r.at) at time zone 'UTC', max(r.at) at time zone 'UTC'
from wr_rows r where r.contact_inbox_id is null group by r.contact_id, r.inbox_id, r.channel_type`,
    },
    {
      does: 'Each message with its new address.',
      sql: `
update wr_rows r set contact_inbox_id = a.id
from contact_inboxes a
where r.contact_inbox_id is null and a.contact_id = r.contact_id and a.inbox_id = r.inbox_id`,
    },
    {
      does: 'Stops where Chatwoot would go on in the new conversation: such an inbox takes the newest one of a contact.',
      sql: `
do $check$
begin
  if exists (
    select from wr_rows r join inboxes i on i.id = r.inbox_id
    join conversations c on c.contact_inbox_id = r.contact_inbox_id
    where to_jsonb(i)->>'lock_to_single_conversation' = 'true'
  ) then
    raise exception 'An inbox keeps each contact in one conversation (lock_to_single_conversation)'
      using hint = 'Compare the other inboxes alone with --connection.';
  end if;
end
$check$`,
    },
    {
      does: 'A resolved conversation for each contact, seen up to its last message. Its display_id comes from Chatwoot’s trigger.',
      sql: `
insert into conversations (account_id, inbox_id, status, contact_id, contact_inbox_id, identifier, additional_attributes,
  last_activity_at, agent_last_seen_at, assignee_last_seen_at, waiting_since, created_at, updated_at)
select r.account_id, r.inbox_id, 1, r.contact_id, r.contact_inbox_id,
  'wa-reconcile:${run}:' || r.inbox_id || ':' || r.contact_inbox_id, ${mark(run)}, max(r.at) at time zone 'UTC',
  max(r.at) at time zone 'UTC', max(r.at) at time zone 'UTC', null, min(r.at) at time zone 'UTC', max(r.at) at time zone 'UTC'
from wr_rows r group by r.account_id, r.inbox_id, r.contact_id, r.contact_inbox_id`,
    },
    {
      does: 'The messages, oldest first. Their files are not in them (those go by a script of Rails, not by SQL): a text says which.',
      sql: `
insert into messages (account_id, inbox_id, conversation_id, message_type, content, processed_message_content, private, status,
  source_id, content_type, content_attributes, additional_attributes, sender_type, sender_id, created_at, updated_at)
select r.account_id, r.inbox_id, c.id, case r.direction when 'INBOUND' then 0 else 1 end, ${CONTENT}, ${CONTENT}, false,
  case when r.direction = 'INBOUND' then 0 else
    case r.status when 'delivered' then 1 when 'read' then 2 when 'played' then 2 when 'failed' then 3 else 0 end end,
  r.source_id, 0, ${ATTRIBUTES}, ${mark(run)}, case r.direction when 'INBOUND' then 'Contact' end,
  case r.direction when 'INBOUND' then r.contact_id end, r.at at time zone 'UTC', r.at at time zone 'UTC'
from wr_rows r
join conversations c on c.contact_inbox_id = r.contact_inbox_id and ${isMarked(run, 'c')}
order by r.position`,
    },
  ],
  undo: (run) => [
    {
      does: 'The messages of this repair.',
      sql: `
delete from messages m using conversations c
where ${isMarked(run, 'c')} and m.conversation_id = c.id and ${isMarked(run, 'm')}`,
    },
    {
      does: 'Its conversations, where nothing else came into them.',
      sql: `
delete from conversations c
where ${isMarked(run, 'c')} and not exists (select from messages m where m.conversation_id = c.id)`,
    },
    {
      does: 'Its addresses, where nothing else came to them.',
      sql: `
delete from contact_inboxes a
where starts_with(a.pubsub_token, 'wr_${run}_')
  and not exists (select from conversations c where c.contact_inbox_id = a.id)`,
    },
    {
      does: 'Its contacts, where nothing else came to them.',
      sql: `
delete from contacts p
where ${isMarked(run, 'p')} and not exists (select from conversations c where c.contact_id = p.id)
  and not exists (select from contact_inboxes a where a.contact_id = p.id)`,
    },
  ],
};

/** The undo file creates them, too: it must not fail if nothing was removed. */
function removedTables(run: string): RepairStep[] {
  return [
    {
      does: 'A table of what is removed.',
      sql: `create table if not exists wa_reconcile_${run}_messages as select * from messages where false`,
    },
    {
      does: 'The same for their files.',
      sql: `create table if not exists wa_reconcile_${run}_attachments as select * from attachments where false`,
    },
  ];
}

/**
 * Duplicates of Chatwoot, whose source_id is not unique. The files of a duplicate go to the row that stays, where that has none;
 * else they would be shown twice.
 */
export const CHATWOOT_PRUNE: PruneForm = {
  crm: 'chatwoot',
  needsDatabase: CHATWOOT_REPAIR.needsDatabase,
  steps: (run) => [
    chooseBest({
      table: 'messages',
      key: 'int',
      isSame: 'm.inbox_id = d.inbox_id and m.source_id = d.source_id',
      // Sent, failed, delivered, read: a failure is better than sent only (M3).
      status: 'coalesce(array_position(array[0, 3, 1, 2], m.status), 0)',
      hasFile: 'exists (select from attachments f where f.message_id = m.id)',
      age: 'm.created_at',
    }),
    ...removedTables(run),
    {
      does: 'What they hold.',
      sql: `insert into wa_reconcile_${run}_messages select m.* from messages m join wr_rows r on r.double = m.id`,
    },
    {
      does: 'Their files.',
      sql: `
insert into wa_reconcile_${run}_attachments select f.* from attachments f join wr_rows r on r.double = f.message_id`,
    },
    {
      does: 'Files of the first duplicate that has some go to the row that stays, where that has none.',
      sql: `
update attachments f set message_id = r.kept
from (
  select distinct on (r.kept) r.kept, r.double
  from wr_rows r join attachments f on f.message_id = r.double
  where not exists (select from attachments own where own.message_id = r.kept)
  order by r.kept, r.double
) r
where f.message_id = r.double`,
    },
    {
      does: 'The other files of duplicates.',
      sql: `delete from attachments f using wr_rows r where f.message_id = r.double`,
    },
    { does: 'The duplicates.', sql: `delete from messages m using wr_rows r where r.double = m.id` },
  ],
  undo: (run) => [
    ...removedTables(run),
    {
      does: 'The rows as they were.',
      sql: `insert into messages select * from wa_reconcile_${run}_messages on conflict (id) do nothing`,
    },
    {
      does: 'Files that went over to another row.',
      sql: `update attachments f set message_id = b.message_id from wa_reconcile_${run}_attachments b where b.id = f.id`,
    },
    {
      does: 'Files that were removed.',
      sql: `insert into attachments select * from wa_reconcile_${run}_attachments on conflict (id) do nothing`,
    },
    {
      does: 'The tables of this repair.',
      sql: `drop table wa_reconcile_${run}_messages, wa_reconcile_${run}_attachments`,
    },
  ],
};
