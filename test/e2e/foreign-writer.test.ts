import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { createRandom } from '../bench/random.js';
import { SEED } from '../support/seed.js';
import { history, live, old } from '../support/webhooks.js';
import { useMachines, type Installation } from './installation.js';
import { lines } from './logs.js';
import { parseRun } from './run-json.js';

const PEOPLE = Array.from({ length: 10 }, (_, i) => `551190000010${i}`);
const PER_PERSON = 60;

/** One message per person, so that people, conversations and the connection are there; then everything. */
const OPENING = lines(PEOPLE.map((from, i) => live(`open${i}`, i, { from })));
const REST = lines(
  Array.from({ length: PER_PERSON }, (_, n) => n).flatMap((n) => [
    ...PEOPLE.map((from, i) => live(`m${n}-${i}`, 100 + n * 60 + i, { from })),
    history(
      [old(`h${n}-a`, -1_000 + n * 2), old(`h${n}-b`, -999 + n * 2)].map((message) => ({
        ...message,
        from: PEOPLE[0] ?? '',
      })),
      { order: n + 1 },
      { id: PEOPLE[0] ?? '' },
    ),
  ]),
);

/** Ids of what the log is about to bring, with the conversation that each belongs to, in the CRM's own order. */
function idsOf(text: string): { id: string; from: string }[] {
  return [...text.matchAll(/"from":"(\d+)","id":"(wamid\.[^"]+)"/g)].map(([, from = '', id = '']) => ({
    id,
    from,
  }));
}

/** The CRM: another program, which knows neither our locks nor our evidence, and inserts what it received itself. */
async function writeAsCrm(machine: Installation, until: Promise<unknown>, seed: number): Promise<number> {
  if (machine.config.kind !== 'postgresql') throw new Error('this needs a server');
  const random = createRandom(seed);
  const client = new pg.Client({ connectionString: machine.config.url });
  await client.connect();
  let written = 0;
  const run = { ended: false };
  void until.finally(() => {
    run.ended = true;
  });
  const ids = idsOf(REST);
  while (!run.ended && ids.length > 0) {
    const [next] = ids.splice(random.between(0, ids.length - 1), 1);
    if (next === undefined) break;
    // Held open for a moment, so that the run meets rows that are there and not yet committed.
    await client.query('begin');
    const { rowCount } = await client.query(
      `insert into messages (id, connection_id, external_id, conversation_id, lead_id, direction, type, body, "timestamp",
                             source, sync_source, is_sync_initial, evidence)
       select gen_random_uuid(), c.connection_id, $1, c.id, c.lead_id, 'INBOUND', 'text', 'from the CRM', now(),
              'live', 'webhook', false, 0
       from conversations c join leads l on l.id = c.lead_id
       where l.phone_number = '+' || $2
       on conflict (connection_id, external_id) do nothing`,
      [next.id, next.from],
    );
    await delay(random.between(0, 8));
    await client.query('commit');
    written += rowCount ?? 0;
  }
  await client.end();
  return written;
}

describe('another program that writes into the same tables meanwhile', () => {
  const machines = useMachines('postgresql');

  test(`neither stops the run nor doubles a message (seed ${SEED})`, async () => {
    const machine = await machines.install();
    await machine.write('opening.ndjson', OPENING);
    await machine.write('rest.ndjson', REST);
    expect((await machine.run(['replay', 'opening.ndjson', '--register'])).code).toBe(0);
    const run = await machine.start(['replay', 'rest.ndjson', '--batch-size', '20', '--json', '--events']);
    await run.says('run_started', 'stderr');
    const written = await writeAsCrm(machine, run.ended, SEED);
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr: stderr.includes('error') }).toEqual({ code: 0, stderr: false });
    const { messages } = parseRun(stdout);
    expect(written).toBeGreaterThan(20);
    expect(messages).toMatchObject({ skipped: {}, rejected: {} });
    const all = idsOf(REST).length;
    expect(messages.seen).toBe(all);
    const [row] = await machine.look(({ sql }) =>
      sql.query(
        `select count(*)::int as n, count(distinct external_id)::int as ids,
           count(*) filter (where body = 'from the CRM')::int as foreign_words from messages`,
      ),
    );
    // Every message once; what the webhook says of it has come in, whoever stored the row.
    expect(row).toEqual({ n: all + PEOPLE.length, ids: all + PEOPLE.length, foreign_words: 0 });
  });
});
