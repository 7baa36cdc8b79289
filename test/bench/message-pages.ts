import { hostname } from 'node:os';
import { pino } from 'pino';
import type { Context } from '../../src/context.js';
import { readMessages } from '../../src/commands/messages/read-messages.js';
import type { Store } from '../../src/store/store.js';
import type { Verdict } from './report.js';
import type { Target } from './target.js';

/** How long pages of one long conversation take, in ms, inside the process: the median of some. */
export interface PageFigures {
  title: string;
  /** Messages in the database. */
  messages: number;
  /** Messages of the contact that is read. */
  ofContact: number;
  /** Just stored: no vacuum has been. */
  fresh: PageTimes;
  /** As a server's autovacuum leaves it. */
  vacuumed: PageTimes;
}

interface PageTimes {
  /** The newest page, which also counts. */
  first: number;
  /** The pages after it. */
  next: number;
}

const PHONE = '+5511987654321';
/** One message of so many is the contact's: their pages lie all over the table. */
const SHARE = 10;
const OTHERS = 9000;
const FIRST_PAGES = 15;
const NEXT_PAGES = 60;
const PAGE_BUDGET_MS = 50;

/** Reads pages of a contact with a tenth of the messages, in a database of its own. */
export async function measurePages(target: Target, messages: number): Promise<PageFigures> {
  const store = await target.openCopy(['leads', 'conversations', 'messages', 'connections']);
  try {
    await fill(store, messages);
    const fresh = await timePages(store);
    await store.sql.execute('vacuum analyze messages');
    const vacuumed = await timePages(store);
    return { title: target.title, messages, ofContact: Math.floor(messages / SHARE), fresh, vacuumed };
  } finally {
    await store.close();
  }
}

/** The budget binds for a server; the embedded database never vacuums by itself, and is told as it is. */
export function judgePages({ title, messages, ofContact, fresh, vacuumed }: PageFigures): Verdict {
  const words = ({ first, next }: PageTimes): string => `${first.toFixed(1)} / ${next.toFixed(1)} ms`;
  return {
    title,
    budget: `page of 100 of ${ofContact.toLocaleString('en-US')} messages, ${messages.toLocaleString('en-US')} stored: less than ${PAGE_BUDGET_MS} ms`,
    measured: `first / next: ${words(vacuumed)} (before vacuum: ${words(fresh)})`,
    pass: title === 'PostgreSQL' ? Math.max(vacuumed.first, vacuumed.next) < PAGE_BUDGET_MS : null,
  };
}

async function timePages(store: Store): Promise<PageTimes> {
  const ctx: Context = {
    store,
    log: pino({ level: 'silent' }),
    clock: Date.now,
    signal: new AbortController().signal,
    emit: () => undefined,
    host: hostname(),
    pid: process.pid,
    user: 'bench',
  };
  const read = async (times: number[], cursor: string | null): Promise<string | null> => {
    const started = performance.now();
    const page = await readMessages(ctx, {
      contact: PHONE,
      limit: 100,
      ...(cursor === null ? {} : { cursor }),
    });
    times.push(performance.now() - started);
    return page.pagination.cursor;
  };
  const first: number[] = [];
  let cursor: string | null = null;
  for (let i = 0; i < FIRST_PAGES; i += 1) cursor = await read(first, null);
  const next: number[] = [];
  for (let i = 0; i < NEXT_PAGES && cursor !== null; i += 1) cursor = await read(next, cursor);
  return { first: median(first), next: median(next) };
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? NaN;
}

/** Leads with a conversation each, and messages that come in turns, one minute after the other. */
async function fill(store: Store, messages: number): Promise<void> {
  await store.sql.execute(
    `insert into connections (id, organization_id, name, kind, display_phone_number, history_sync_status)
     select gen_random_uuid(), id, 'bench', 'coexistence', '+5511900000000', 'completed' from organizations`,
  );
  await store.sql.execute(
    `insert into leads (id, organization_id, phone_number, push_name, source, first_seen_at)
     select gen_random_uuid(), o.id, case n when 0 then '${PHONE}' else '+1212' || (5550000 + n) end, 'Lead ' || n,
       'history_sync', now()
     from organizations o, generate_series(0, ${OTHERS}) n`,
  );
  await store.sql.execute(
    `insert into lead_identities (organization_id, kind, value, person_id, lead_id)
     select organization_id, 'phone', phone_number, id, id from leads`,
  );
  await store.sql.execute(
    `insert into conversations (id, connection_id, lead_id) select gen_random_uuid(), c.id, l.id from leads l, connections c`,
  );
  await store.sql.execute(
    `with thread as (
       select c.id, c.lead_id, c.connection_id, row_number() over (order by l.phone_number <> '${PHONE}', l.id) - 1 as place
       from conversations c join leads l on l.id = c.lead_id
     )
     insert into messages (timestamp, evidence, is_sync_initial, id, connection_id, conversation_id, lead_id, external_id,
       stanza_id, direction, type, status, source, sync_source, body)
     select timestamptz '2024-01-01' + n * interval '1 minute', 1, false, gen_random_uuid(), t.connection_id, t.id, t.lead_id,
       'wamid.HBgNNTUxMTkwMDAwMDAwMBUCABEYEjVGN' || md5(n::text), upper(left(md5(n::text), 20)),
       case n % 2 when 0 then 'INBOUND' else 'OUTBOUND' end, 'text', 'read', 'history', 'webhook',
       'message ' || n || repeat(' and so on', n % 8)
     from generate_series(1, ${messages}) n
     join thread t on t.place = case n % ${SHARE} when 0 then 0 else 1 + n::bigint * 7919 % ${OTHERS} end
     order by n`,
  );
}
