import { isMarked, markedId, type RepairForm, type RepairStep } from './repair.js';

const COUNTED = `
  "messagesCount" = n.messages, "inboundMessagesCount" = n.inbound, "outboundMessagesCount" = n.outbound,
  "lastInboundAt" = n.last_inbound, "lastOutboundAt" = n.last_outbound`;

/** The counters, and the column with what the repair added to each. */
const COUNTERS = [
  ['"messagesCount"', 'messages_added'],
  ['"inboundMessagesCount"', 'inbound_added'],
  ['"outboundMessagesCount"', 'outbound_added'],
] as const;

/** The ends of conversations and leads, and the columns with what they were and what the repair made of them. */
const ENDS = {
  crm_conversations: [
    ['"lastInboundAt"', 'inbound_before', 'inbound_after'],
    ['"lastOutboundAt"', 'outbound_before', 'outbound_after'],
  ],
  crm_leads: [
    ['"firstMessageAt"', 'first_before', 'first_after'],
    ['last_message_at', 'last_before', 'last_after'],
  ],
} as const;

function keptTable(run: string, table: keyof typeof ENDS): string {
  return table === 'crm_leads' ? `wa_reconcile_${run}_leads` : `wa_reconcile_${run}`;
}

function list(parts: readonly string[]): string {
  return parts.join(', ');
}

/** The undo file creates them, too: it must not fail if the repair never ran. */
function keptTables(run: string): RepairStep[] {
  const added = COUNTERS.map(([, column]) => `0 as ${column}`);
  return (['crm_conversations', 'crm_leads'] as const).map((table) => ({
    does: `What the repair changes in ${table}; the undo file takes exactly that back.`,
    sql: `
create table if not exists ${keptTable(run, table)} as
select id, ${list([...(table === 'crm_leads' ? [] : added), ...ENDS[table].flatMap(([end, before, after]) => [`${end} as ${before}`, `${end} as ${after}`])])}
from ${table} where false`,
  }));
}

/** Notes the ends of rows that the repair has not touched yet. */
function keepEnds(run: string, table: keyof typeof ENDS, which: string): RepairStep {
  const zeros = table === 'crm_leads' ? [] : COUNTERS.map(() => '0');
  return {
    does: `The rows of ${table} that this repair changes, as they are.`,
    sql: `
insert into ${keptTable(run, table)}
select t.id, ${list([...zeros, ...ENDS[table].flatMap(([end]) => [`t.${end}`, `t.${end}`])])}
from ${table} t where t.id in (${which})
  and not exists (select from ${keptTable(run, table)} kept where kept.id = t.id)`,
  };
}

/** Changes rows, and notes the ends that it gave them: those that it leaves as they are may be the CRM's own by now. */
function change(run: string, table: keyof typeof ENDS, does: string, update: string): RepairStep {
  const ends = ENDS[table];
  return {
    does,
    sql: `
with changed as (${update}
  returning t.id, ${list(ends.map(([end]) => `t.${end}`))}
)
update ${keptTable(run, table)} k set ${list(ends.map(([end, , after]) => `${after} = changed.${end}`))}
from changed where changed.id = k.id`,
  };
}

/** Adds the counters, or takes them off, so that what is left is what the repair has added. */
function countAdded(run: string, sign: '+' | '-'): RepairStep {
  return {
    does:
      sign === '-' ? 'The counters before.' : 'The counters after: the difference is what this repair added.',
    sql: `
update wa_reconcile_${run} k set ${list(COUNTERS.map(([counter, added]) => `${added} = ${added} ${sign} v.${counter}`))}
from crm_conversations v where v.id = k.id`,
  };
}

/** Takes back what the repair changed; what the CRM has changed since stays. */
function takeBack(run: string, table: keyof typeof ENDS): RepairStep {
  const counters =
    table === 'crm_leads' ? [] : COUNTERS.map(([counter, added]) => `${counter} = t.${counter} - k.${added}`);
  const ends = ENDS[table].map(
    ([end, before, after]) =>
      `${end} = case when t.${end} is not distinct from k.${after} then k.${before} else t.${end} end`,
  );
  return {
    does: `What this repair changed in ${table}; what came since stays.`,
    sql: `
update ${table} t set ${list([...counters, ...ends])}
from ${keptTable(run, table)} k where k.id = t.id`,
  };
}

/**
 * WhaTrack: lead, conversation and message, each by its own unique key, and the counters of the conversations recomputed. What
 * the repair changes in rows that are there is kept in tables of its own, which the undo file reads and drops.
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
      does: 'Each message with what names its contact.',
      sql: `
create temporary table wr_rows on commit drop as
select l.*, c.id as instance_id, c."organizationId" as organization_id, c."projectId" as project_id,
  coalesce(l.wa_id, ltrim(l.phone, '+'), l.lid, l.contact) as number
from wr_lost l join whatsapp_configs c on c.id::text = l.connection
where coalesce(l.wa_id, l.phone, l.lid, l.contact) is not null
  and not exists (select from whatsapp_messages m where m.wamid = l.external_id)`,
    },
    {
      does: 'Their leads: the one that the CRM names, else one with any spelling of the number, also as its phone alone.',
      sql: `
create temporary table wr_leads on commit drop as
select r.organization_id, r.number, found.id as lead_id
from (
  select organization_id, number, max(contact) as contact, max(numbers) as numbers from wr_rows group by 1, 2
) r
left join lateral (
  select e.id from crm_leads e
  where e."organizationId" = r.organization_id
    and (e.remote_jid in (r.contact, r.number) or e.remote_jid = any(r.numbers) or ltrim(e.phone, '+') = any(r.numbers)
      or r.contact = 'lead ' || e.id::text)
  order by case when e.remote_jid = r.contact or r.contact = 'lead ' || e.id::text then 0 when e.remote_jid is not null then 1 else 2 end,
    e.created_at, e.id
  limit 1
) found on true`,
    },
    {
      does: 'People that the organization does not have.',
      sql: `
insert into crm_leads (id, "organizationId", "projectId", phone, remote_jid, "pushName", "sourceId", "firstMessageAt",
  last_message_at, created_at, updated_at)
select ${markedId(run)}, r.organization_id, (array_agg(r.project_id))[1], max(r.phone), r.number, max(r.name),
  (select id from crm_lead_sources where name = 'history_sync'), min(r.at) at time zone 'UTC', max(r.at) at time zone 'UTC',
  now() at time zone 'UTC', now() at time zone 'UTC'
from wr_rows r join wr_leads k on k.organization_id = r.organization_id and k.number = r.number
where k.lead_id is null
group by r.organization_id, r.number
on conflict ("organizationId", remote_jid) do nothing`,
    },
    {
      does: 'Who they are there now.',
      sql: `
update wr_leads k set lead_id = e.id from crm_leads e
where k.lead_id is null and e."organizationId" = k.organization_id and e.remote_jid = k.number`,
    },
    {
      does: 'Their conversations with this number.',
      sql: `
insert into crm_conversations (id, "organizationId", "projectId", "leadId", "instanceId", "createdAt", "updatedAt")
select ${markedId(run)}, r.organization_id, (array_agg(r.project_id))[1], k.lead_id, r.instance_id, min(r.at) at time zone 'UTC',
  max(r.at) at time zone 'UTC'
from wr_rows r join wr_leads k on k.organization_id = r.organization_id and k.number = r.number
group by r.organization_id, k.lead_id, r.instance_id
on conflict ("leadId", "instanceId") do nothing`,
    },
    {
      does: 'The messages, oldest first; none belongs to a deal.',
      sql: `
insert into whatsapp_messages (id, wamid, "leadId", "instanceId", app_conversation_id, "directionId", type, body, "mediaUrl",
  status, timestamp, source, "rawMeta", "createdAt", "updatedAt")
select ${markedId(run)}, r.external_id, k.lead_id, r.instance_id, v.id, d.id, r.type, r.body,
  case when r.media_id is null then null else 'meta_id:' || r.media_id end,
  coalesce(r.status, case r.direction when 'INBOUND' then 'received' else 'sent' end), r.at at time zone 'UTC', 'history',
  jsonb_build_object('wa_reconcile_repair', '${run}'), now() at time zone 'UTC', now() at time zone 'UTC'
from wr_rows r
join wr_leads k on k.organization_id = r.organization_id and k.number = r.number
join crm_conversations v on v."leadId" = k.lead_id and v."instanceId" = r.instance_id
join crm_message_directions d on d.name = r.direction
order by r.position
on conflict (wamid) do nothing`,
    },
    ...keptTables(run),
    keepEnds(
      run,
      'crm_conversations',
      `select app_conversation_id from whatsapp_messages where ${isMarked(run, 'id')}`,
    ),
    countAdded(run, '-'),
    change(
      run,
      'crm_conversations',
      'Their counters, counted again.',
      `
  update crm_conversations t set ${COUNTED}
  from (
    select m.app_conversation_id as id, count(*)::int as messages,
      count(*) filter (where d.name = 'INBOUND')::int as inbound, count(*) filter (where d.name = 'OUTBOUND')::int as outbound,
      max(m.timestamp) filter (where d.name = 'INBOUND') as last_inbound,
      max(m.timestamp) filter (where d.name = 'OUTBOUND') as last_outbound
    from whatsapp_messages m join crm_message_directions d on d.id = m."directionId"
    where m.app_conversation_id in (select id from wa_reconcile_${run})
    group by m.app_conversation_id
  ) n
  where n.id = t.id and (t."lastInboundAt", t."lastOutboundAt", t."messagesCount", t."inboundMessagesCount", t."outboundMessagesCount")
    is distinct from (n.last_inbound, n.last_outbound, n.messages, n.inbound, n.outbound)`,
    ),
    countAdded(run, '+'),
    keepEnds(run, 'crm_leads', `select "leadId" from whatsapp_messages where ${isMarked(run, 'id')}`),
    change(
      run,
      'crm_leads',
      'The first and last messages of their leads.',
      `
  update crm_leads t set "firstMessageAt" = least(t."firstMessageAt", n.first), last_message_at = greatest(t.last_message_at, n.last)
  from (
    select "leadId" as id, min(timestamp) as first, max(timestamp) as last from whatsapp_messages
    where ${isMarked(run, 'id')} group by "leadId"
  ) n
  where n.id = t.id and (t."firstMessageAt", t.last_message_at)
    is distinct from (least(t."firstMessageAt", n.first), greatest(t.last_message_at, n.last))`,
    ),
  ],
  undo: (run) => [
    ...keptTables(run),
    {
      does: 'The messages of this repair.',
      sql: `delete from whatsapp_messages where ${isMarked(run, 'id')} and "rawMeta"->>'wa_reconcile_repair' = '${run}'`,
    },
    takeBack(run, 'crm_conversations'),
    takeBack(run, 'crm_leads'),
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
    { does: 'Its tables.', sql: `drop table wa_reconcile_${run}, wa_reconcile_${run}_leads` },
  ],
};
