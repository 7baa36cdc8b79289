import { isMarked, markedId, type RepairForm, type RepairStep } from './repair.js';

const COUNTED = `
  "messagesCount" = n.messages, "inboundMessagesCount" = n.inbound, "outboundMessagesCount" = n.outbound,
  "lastInboundAt" = n.last_inbound, "lastOutboundAt" = n.last_outbound`;

/** The undo file creates it, too: it must not fail if the repair never ran. */
function oldCounters(run: string): RepairStep {
  return {
    does: 'A table of what the counters were; the undo file puts them back.',
    sql: `
create table if not exists wa_reconcile_${run} as
select id, "messagesCount", "inboundMessagesCount", "outboundMessagesCount", "lastInboundAt", "lastOutboundAt", "updatedAt"
from crm_conversations where false`,
  };
}

/**
 * WhaTrack: lead, conversation and message, each by its own unique key, and the counters of the conversations recomputed. What
 * the counters were before is kept in a table of the repair, which the undo file reads and drops.
 */
export const WHATRACK_REPAIR: RepairForm = {
  crm: 'whatrack',
  minimumAgeMs: 0,
  // Type and words are columns of their own.
  isStoredAsText: () => false,
  steps: (run) => [
    {
      does: 'Stops where the CRM lacks a word that the rows need.',
      sql: `
do $check$
begin
  if (select count(*) from crm_message_directions where name in ('INBOUND', 'OUTBOUND')) < 2 then
    raise exception 'crm_message_directions has no INBOUND and OUTBOUND';
  end if;
  if not exists (select from crm_lead_sources where name = 'history_sync') then
    raise exception 'crm_lead_sources has no history_sync';
  end if;
end
$check$`,
    },
    {
      does: 'Each message with the number that names its lead there.',
      sql: `
create temporary table wr_rows on commit drop as
select l.*, c.id as instance_id, c."organizationId" as organization_id, c."projectId" as project_id,
  coalesce(l.contact, l.wa_id, ltrim(l.phone, '+'), l.lid) as remote_jid
from wr_lost l join whatsapp_configs c on c.id::text = l.connection
where coalesce(l.contact, l.wa_id, l.phone, l.lid) is not null
  and not exists (select from whatsapp_messages m where m.wamid = l.external_id)`,
    },
    {
      does: 'People that the organization does not have.',
      sql: `
insert into crm_leads (id, "organizationId", "projectId", phone, remote_jid, "pushName", "sourceId", "firstMessageAt",
  last_message_at, created_at, updated_at)
select ${markedId(run)}, r.organization_id, (array_agg(r.project_id))[1], max(r.phone), r.remote_jid, max(r.name),
  (select id from crm_lead_sources where name = 'history_sync'), min(r.at) at time zone 'UTC', max(r.at) at time zone 'UTC',
  now() at time zone 'UTC', now() at time zone 'UTC'
from wr_rows r group by r.organization_id, r.remote_jid
on conflict ("organizationId", remote_jid) do nothing`,
    },
    {
      does: 'Their conversations with this number.',
      sql: `
insert into crm_conversations (id, "organizationId", "projectId", "leadId", "instanceId", "createdAt", "updatedAt")
select ${markedId(run)}, r.organization_id, (array_agg(r.project_id))[1], e.id, r.instance_id, min(r.at) at time zone 'UTC',
  max(r.at) at time zone 'UTC'
from wr_rows r join crm_leads e on e."organizationId" = r.organization_id and e.remote_jid = r.remote_jid
group by r.organization_id, e.id, r.instance_id
on conflict ("leadId", "instanceId") do nothing`,
    },
    {
      does: 'The messages, oldest first; none belongs to a deal.',
      sql: `
insert into whatsapp_messages (id, wamid, "leadId", "instanceId", app_conversation_id, "directionId", type, body, "mediaUrl",
  status, timestamp, source, "rawMeta", "createdAt", "updatedAt")
select ${markedId(run)}, r.external_id, e.id, r.instance_id, v.id, d.id, r.type, r.body,
  case when r.media_id is null then null else 'meta_id:' || r.media_id end,
  coalesce(r.status, case r.direction when 'INBOUND' then 'received' else 'sent' end), r.at at time zone 'UTC', 'history',
  jsonb_build_object('wa_reconcile_repair', '${run}'), now() at time zone 'UTC', now() at time zone 'UTC'
from wr_rows r
join crm_leads e on e."organizationId" = r.organization_id and e.remote_jid = r.remote_jid
join crm_conversations v on v."leadId" = e.id and v."instanceId" = r.instance_id
join crm_message_directions d on d.name = r.direction
order by r.position
on conflict (wamid) do nothing`,
    },
    oldCounters(run),
    {
      does: 'The conversations that this repair added to.',
      sql: `
insert into wa_reconcile_${run}
select v.id, v."messagesCount", v."inboundMessagesCount", v."outboundMessagesCount", v."lastInboundAt", v."lastOutboundAt",
  v."updatedAt"
from crm_conversations v
where v.id in (select app_conversation_id from whatsapp_messages where ${isMarked(run, 'id')})
  and not exists (select from wa_reconcile_${run} kept where kept.id = v.id)`,
    },
    {
      does: 'Their counters, counted again.',
      sql: `
update crm_conversations v set ${COUNTED}
from (
  select m.app_conversation_id as id, count(*)::int as messages,
    count(*) filter (where d.name = 'INBOUND')::int as inbound, count(*) filter (where d.name = 'OUTBOUND')::int as outbound,
    max(m.timestamp) filter (where d.name = 'INBOUND') as last_inbound,
    max(m.timestamp) filter (where d.name = 'OUTBOUND') as last_outbound
  from whatsapp_messages m join crm_message_directions d on d.id = m."directionId"
  where m.app_conversation_id in (select id from wa_reconcile_${run})
  group by m.app_conversation_id
) n
where n.id = v.id`,
    },
  ],
  undo: (run) => [
    oldCounters(run),
    {
      does: 'The messages of this repair.',
      sql: `delete from whatsapp_messages where ${isMarked(run, 'id')} and "rawMeta"->>'wa_reconcile_repair' = '${run}'`,
    },
    {
      does: 'The counters as they were.',
      sql: `
update crm_conversations v set "messagesCount" = k."messagesCount", "inboundMessagesCount" = k."inboundMessagesCount",
  "outboundMessagesCount" = k."outboundMessagesCount", "lastInboundAt" = k."lastInboundAt",
  "lastOutboundAt" = k."lastOutboundAt", "updatedAt" = k."updatedAt"
from wa_reconcile_${run} k where k.id = v.id`,
    },
    {
      does: 'Its conversations and people, where nothing else came to them.',
      sql: `
delete from crm_conversations v where ${isMarked(run, 'v.id')}
  and not exists (select from whatsapp_messages m where m.app_conversation_id = v.id)
  and not exists (select from crm_deals d where d."conversationId" = v.id)`,
    },
    {
      does: 'The same for leads.',
      sql: `
delete from crm_leads e where ${isMarked(run, 'e.id')}
  and not exists (select from crm_conversations v where v."leadId" = e.id)
  and not exists (select from whatsapp_messages m where m."leadId" = e.id)`,
    },
    { does: 'The table of the old counters.', sql: `drop table wa_reconcile_${run}` },
  ],
};
