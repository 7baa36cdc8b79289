import type { Sql } from './database.js';

/** What a CRM's tables no longer keep since the watch began, a line each; nothing where all is well. */
export type Check = () => Promise<string[]>;

/** No row that is younger may be repaired: Evolution API pushes those of the last six hours on to Chatwoot. */
const YOUNGEST_S = 6 * 3600;

type Snapshot = ReadonlyMap<string, string>;

/** Every row of a table by its key, as text. `without`: columns that may change. */
async function snapshot(
  sql: Sql,
  table: string,
  key = 'm.id::text',
  without: readonly string[] = [],
): Promise<Snapshot> {
  const rows = await sql(`select ${key} as key, (to_jsonb(m) - $1::text[])::text as row from ${table} m`, [
    without,
  ]);
  return new Map(rows.map((row) => [String(row.key), String(row.row)]));
}

/** Rows that were there before and are gone or different now. */
function changed(what: string, before: Snapshot, now: Snapshot): string[] {
  return [...before].flatMap(([key, row]) => {
    const found = now.get(key);
    if (found === undefined) return [`${what} ${key} is gone`];
    return found === row ? [] : [`${what} ${key} changed`];
  });
}

/** A query of what must not be; `$1` are the keys that were there before. */
async function violations(sql: Sql, what: string, before: Snapshot, query: string): Promise<string[]> {
  const rows = await sql(query, [[...before.keys()]]);
  return rows.map(({ key }) => `${String(key)} ${what}`);
}

/**
 * Evolution API: rows that are added are read and older than six hours, have an id of their own and a chat; nothing that was
 * there changes, and nobody has something unread.
 */
export async function watchEvolution(sql: Sql): Promise<Check> {
  const look = async (): Promise<Record<'message' | 'chat' | 'instance', Snapshot>> => ({
    message: await snapshot(sql, '"Message"'),
    chat: await snapshot(sql, '"Chat"'),
    instance: await snapshot(sql, '"Instance"'),
  });
  const before = await look();
  return async () => {
    const now = await look();
    const added = `select m.id as key from "Message" m where m.id <> all ($1)`;
    return [
      ...changed('message', before.message, now.message),
      ...changed('chat', before.chat, now.chat),
      ...changed('instance', before.instance, now.instance),
      ...(await violations(
        sql,
        'is unread',
        before.message,
        `${added} and m.status is distinct from 'READ'`,
      )),
      ...(await violations(
        sql,
        'is younger than six hours',
        before.message,
        `${added} and m."messageTimestamp" > extract(epoch from now()) - ${YOUNGEST_S}`,
      )),
      ...(await violations(
        sql,
        'is a double',
        before.message,
        `${added} and exists (
           select from "Message" o
           where o."instanceId" = m."instanceId" and o.key->>'id' = m.key->>'id' and o.id <> m.id)`,
      )),
      ...(await violations(
        sql,
        'has no chat',
        before.message,
        `${added} and not exists (
           select from "Chat" c where c."instanceId" = m."instanceId"
             and c."remoteJid" in (m.key->>'remoteJid', m.key->>'remoteJidAlt'))`,
      )),
      ...(await violations(
        sql,
        'is a chat with something unread',
        before.chat,
        `select id as key from "Chat" where id <> all ($1) and "unreadMessages" <> 0`,
      )),
    ];
  };
}

/** The rows by which a repair says that a conversation is its own. */
const OWN = `additional_attributes->>'source' = 'wa-reconcile'`;

/**
 * Chatwoot: what is added is in resolved conversations of its own, with display ids of the sequence, read by its agent and
 * waiting for nobody; whoever scrolls a conversation up sees each of its messages once; and nothing that was there changes.
 */
export async function watchChatwoot(sql: Sql): Promise<Check> {
  const look = async (): Promise<
    Record<'message' | 'conversation' | 'contact' | 'contactInbox' | 'attachment', Snapshot>
  > => ({
    message: await snapshot(sql, 'messages'),
    conversation: await snapshot(sql, `(select * from conversations where not coalesce(${OWN}, false))`),
    contact: await snapshot(sql, 'contacts'),
    contactInbox: await snapshot(sql, 'contact_inboxes'),
    attachment: await snapshot(sql, 'attachments'),
  });
  const before = await look();
  const existing = await snapshot(sql, 'conversations');
  return async () => {
    const now = await look();
    const added = `select m.id as key from messages m join conversations c on c.id = m.conversation_id
                   where m.id::text <> all ($1)`;
    const made = `select c.id as key from conversations c where c.id::text <> all ($1)`;
    return [
      ...changed('message', before.message, now.message),
      ...changed('conversation', before.conversation, now.conversation),
      ...changed('contact', before.contact, now.contact),
      ...changed('contact inbox', before.contactInbox, now.contactInbox),
      ...changed('attachment', before.attachment, now.attachment),
      ...(await violations(
        sql,
        'is in a conversation that is not its own',
        before.message,
        `${added} and not coalesce(c.${OWN}, false)`,
      )),
      ...(await violations(
        sql,
        'is in another account or inbox than its conversation',
        before.message,
        `${added} and (m.account_id, m.inbox_id) is distinct from (c.account_id, c.inbox_id)`,
      )),
      ...(await violations(
        sql,
        'is no message of WhatsApp, or would be sent',
        before.message,
        `${added} and (m.private or m.message_type not in (0, 1) or coalesce(m.source_id, '') = '')`,
      )),
      ...(await violations(
        sql,
        'is a conversation that is open, waits or counts as answered',
        existing,
        `${made} and (c.status <> 1 or c.waiting_since is not null or c.first_reply_created_at is not null
           or c.assignee_id is not null)`,
      )),
      ...(await violations(
        sql,
        'is a conversation with something unread',
        existing,
        `${made} and (
           c.agent_last_seen_at is null or c.assignee_last_seen_at is null
           or exists (
             select from messages m where m.conversation_id = c.id
               and m.created_at > least(c.agent_last_seen_at, c.assignee_last_seen_at, c.last_activity_at)))`,
      )),
      ...(await violations(
        sql,
        'is a conversation without messages, or of another contact than its inbox says',
        existing,
        `${made} and (
           not exists (select from messages m where m.conversation_id = c.id)
           or not exists (
             select from contact_inboxes i
             where i.id = c.contact_inbox_id and i.inbox_id = c.inbox_id and i.contact_id = c.contact_id))`,
      )),
      ...(await violations(
        sql,
        'is a contact inbox whose id Chatwoot does not accept',
        before.contactInbox,
        `select i.id as key from contact_inboxes i join inboxes x on x.id = i.inbox_id
         where i.id::text <> all ($1) and x.channel_type = 'Channel::Whatsapp' and i.source_id !~ '^\\d{1,15}$'`,
      )),
      ...(await wrongDisplayIds(sql)),
      ...(await wrongSequences(sql, ['contacts', 'contact_inboxes', 'conversations', 'messages'])),
      ...(await unreachableMessages(sql)),
    ];
  };
}

async function wrongDisplayIds(sql: Sql): Promise<string[]> {
  const accounts = await sql('select distinct account_id as id from conversations');
  const found: string[] = [];
  for (const { id } of accounts) {
    const account = Number(id);
    const rows = await sql(
      `select c.display_id as number from conversations c, conv_dpid_seq_${account} s
       where c.account_id = $1 and c.display_id > s.last_value`,
      [account],
    );
    found.push(...rows.map(({ number }) => `display id ${String(number)} is not of the sequence`));
  }
  return found;
}

/** Sequences that would give an id that is taken. */
async function wrongSequences(sql: Sql, tables: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const table of tables) {
    const [row] = await sql(`select pg_get_serial_sequence($1, 'id') as name`, [table]);
    const rows = await sql(
      `select max(t.id) > max(s.last_value) or (max(t.id) = max(s.last_value) and not bool_or(s.is_called)) as taken
       from ${table} t, ${String(row?.name)} s`,
    );
    if (rows.some(({ taken }) => taken === true)) found.push(`the next id of ${table} is taken`);
  }
  return found;
}

const PAGE = 20;

/**
 * Scrolls every conversation up, as Chatwoot's pages do: the newest 20, then the newest 20 of those whose id is lower than that
 * of the oldest one shown.
 */
async function unreachableMessages(sql: Sql): Promise<string[]> {
  const rows = await sql(
    `select conversation_id, id from messages order by conversation_id, created_at desc, id desc`,
  );
  const idsOf = new Map<number, number[]>();
  for (const { conversation_id, id } of rows) {
    const conversation = Number(conversation_id);
    const ids = idsOf.get(conversation) ?? [];
    ids.push(Number(id));
    idsOf.set(conversation, ids);
  }
  return [...idsOf].flatMap(([conversation, ids]) => {
    const shown: number[] = [];
    let oldest: number | undefined = Infinity;
    // Ids only fall, so that this ends.
    while (oldest !== undefined) {
      const before: number = oldest;
      const page = ids.filter((id) => id < before).slice(0, PAGE);
      shown.push(...page);
      oldest = page.at(-1);
    }
    return ids.flatMap((id) => {
      const times = shown.filter((other) => other === id).length;
      return times === 1 ? [] : [`message ${id} of conversation ${conversation} is shown ${times} times`];
    });
  });
}

/**
 * ticketz and the forks with `wid`: what is added is read and in closed tickets, with times long past; no ticket that was there
 * changes, and everything is of one company.
 */
export async function watchTickets(sql: Sql, crm: 'ticketz' | 'wid'): Promise<Check> {
  // A message of ticketz has a key of two columns.
  const name = crm === 'wid' ? 'm.id::text' : `m.id || '/' || m."ticketId"`;
  const look = async (): Promise<Record<'message' | 'ticket' | 'contact', Snapshot>> => ({
    message: await snapshot(sql, '"Messages"', name),
    ticket: await snapshot(sql, '"Tickets"'),
    contact: await snapshot(sql, '"Contacts"'),
  });
  const before = await look();
  return async () => {
    const now = await look();
    const added = `select ${name} as key from "Messages" m join "Tickets" t on t.id = m."ticketId"
                   where ${name} <> all ($1)`;
    const made = `select t.id as key from "Tickets" t where t.id::text <> all ($1)`;
    return [
      ...changed('message', before.message, now.message),
      ...changed('ticket', before.ticket, now.ticket),
      ...changed('contact', before.contact, now.contact),
      ...(await violations(
        sql,
        'is in a ticket that is not closed',
        before.message,
        `${added} and t.status <> 'closed'`,
      )),
      ...(await violations(
        sql,
        'is unread or new',
        before.message,
        `${added} and (not m.read or m."createdAt" > now() - interval '2 hours')`,
      )),
      ...(await violations(
        sql,
        'is of another company or contact than its ticket',
        before.message,
        `${added} and (m."companyId" is distinct from t."companyId"
           or coalesce(m."contactId", t."contactId") is distinct from t."contactId")`,
      )),
      ...(await violations(
        sql,
        'is a ticket that is open, unread or changed of late',
        before.ticket,
        `${made} and (t.status <> 'closed' or coalesce(t."unreadMessages", 0) <> 0
           or t."updatedAt" > now() - interval '2 hours')`,
      )),
      ...(await violations(
        sql,
        'is a ticket of another time than its messages',
        before.ticket,
        `${made} and not exists (
           select from "Messages" m where m."ticketId" = t.id
           having min(m."createdAt") = t."createdAt" and max(m."createdAt") = t."updatedAt")`,
      )),
      ...(await violations(
        sql,
        'is a ticket of another company than its contact or connection',
        before.ticket,
        `${made} and not exists (
           select from "Contacts" c, "Whatsapps" w
           where c.id = t."contactId" and w.id = t."whatsappId"
             and c."companyId" = t."companyId" and w."companyId" = t."companyId")`,
      )),
      ...(await wrongSequences(sql, ['"Tickets"', '"Contacts"', ...(crm === 'wid' ? ['"Messages"'] : [])])),
    ];
  };
}

/**
 * WhaTrack: the counters of a conversation to which something was added are those of its messages, all others stay; deals and
 * messages that were there stay, and nobody has more unread than before.
 */
export async function watchWhatrack(sql: Sql): Promise<Check> {
  const counters = [
    'messagesCount',
    'inboundMessagesCount',
    'outboundMessagesCount',
    'lastInboundAt',
    'lastOutboundAt',
    'avgResponseTimeSec',
    'firstResponseTimeSec',
    'updatedAt',
  ];
  const leadTimes = ['last_message_at', 'firstMessageAt', 'lastSyncedAt', 'updated_at'];
  const look = async (): Promise<
    Record<'message' | 'deal' | 'lead' | 'conversation' | 'whole', Snapshot>
  > => ({
    message: await snapshot(sql, 'whatsapp_messages'),
    deal: await snapshot(sql, 'crm_deals'),
    lead: await snapshot(sql, 'crm_leads', 'm.id::text', leadTimes),
    conversation: await snapshot(sql, 'crm_conversations', 'm.id::text', counters),
    whole: await snapshot(sql, 'crm_conversations'),
  });
  const before = await look();
  const [{ times } = { times: {} }] = await sql(
    `select jsonb_object_agg(id, last_message_at) as times from crm_leads`,
  );
  return async () => {
    const now = await look();
    const rows = await sql(
      `select distinct app_conversation_id::text as id from whatsapp_messages where id::text <> all ($1)`,
      [[...before.message.keys()]],
    );
    const touched = new Set(rows.map(({ id }) => String(id)));
    const untouched = new Map([...before.whole].filter(([id]) => !touched.has(id)));
    const back = await sql(
      `select l.id as key from crm_leads l
       where ($1::jsonb->>(l.id::text))::timestamp > l.last_message_at`,
      [JSON.stringify(times)],
    );
    return [
      ...changed('message', before.message, now.message),
      ...changed('deal', before.deal, now.deal),
      ...changed('lead', before.lead, now.lead),
      ...changed('conversation', before.conversation, now.conversation),
      ...changed('conversation', untouched, now.whole),
      ...back.map(({ key }) => `lead ${String(key)} was last seen earlier than before`),
      ...(await wrongCounters(sql, touched)),
      ...(await violations(
        sql,
        'is a conversation with something unread',
        before.conversation,
        `select id as key from crm_conversations where id::text <> all ($1) and "unreadCount" <> 0`,
      )),
      ...(await violations(
        sql,
        'is of another lead than its conversation, or of a deal',
        before.message,
        `select m.id as key from whatsapp_messages m
         left join crm_conversations c on c.id = m.app_conversation_id
         where m.id::text <> all ($1)
           and ((c."leadId", c."instanceId") is distinct from (m."leadId", m."instanceId") or m."dealId" is not null)`,
      )),
    ];
  };
}

async function wrongCounters(sql: Sql, conversations: ReadonlySet<string>): Promise<string[]> {
  const rows = await sql(
    `select c.id as key
     from crm_conversations c
     join lateral (
       select count(*)::int as all_of_them,
              count(*) filter (where d.name = 'INBOUND')::int as inbound,
              count(*) filter (where d.name = 'OUTBOUND')::int as outbound,
              max(m.timestamp) filter (where d.name = 'INBOUND') as last_inbound,
              max(m.timestamp) filter (where d.name = 'OUTBOUND') as last_outbound
       from whatsapp_messages m join crm_message_directions d on d.id = m."directionId"
       where m.app_conversation_id = c.id
     ) is_true on true
     where c.id::text = any ($1)
       and (c."messagesCount", c."inboundMessagesCount", c."outboundMessagesCount", c."lastInboundAt", c."lastOutboundAt")
         is distinct from
         (is_true.all_of_them, is_true.inbound, is_true.outbound, is_true.last_inbound, is_true.last_outbound)`,
    [[...conversations]],
  );
  return rows.map(({ key }) => `the counters of conversation ${String(key)} are not those of its messages`);
}
