import { expect, it } from 'vitest';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { runCheck } from '../support/checking.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { BRU, echo, edit, history, item, live, old, revoke, status, wamid } from '../support/webhooks.js';

const LOG = [
  history([old('H1', -900)], { progress: 100 }),
  live('A1', 0, { text: { body: 'original' } }),
  echo('A2', 10),
  status('A2', 'read', 11),
  live('A3', 20),
  edit('A3', 'A3e', 25, { type: 'text', text: { body: 'melhor' } }),
  live('A4', 30),
  revoke('A4', 31),
  live('B1', 40, { from: BRU }),
];
const IDS = [...['H1', 'A1', 'A2', 'A3', 'A4'].map((key) => wamid(key)), wamid('B1', BRU)];

async function damage(store: Store, ...statements: string[]): Promise<void> {
  for (const statement of statements) expect(await store.sql.execute(statement)).toBeGreaterThan(0);
}

/** Ids that `verify` finds fault with, by the proof of the raw log. */
async function faultyIds(store: Store): Promise<string[]> {
  const { items } = await runCheck(store, 'raw_log');
  const found = items.filter(
    ({ sign, subject }) => sign !== '=' && sign !== '!' && subject.startsWith('wamid'),
  );
  return [...new Set(found.map(({ subject }) => subject))].sort();
}

/** Ids that `explain` finds fault with. */
async function explainedFaults(store: Store): Promise<string[]> {
  const faulty: string[] = [];
  for (const id of IDS) {
    const { findings } = await ask(store, id);
    if (findings.some(({ outcome }) => outcome === 'different' || outcome === 'missing')) faulty.push(id);
  }
  return faulty.sort();
}

const of = (id: string): string => `external_id = '${id}'`;

type Change = [what: string, statements: string[], wrong: string[]];

const CHANGES: Change[] = [
  ['nothing', [], []],
  ['a text', [`update messages set body = 'zzz' where ${of(wamid('A1'))}`], [wamid('A1')]],
  ['a smaller text', [`update messages set body = 'a' where ${of(wamid('A1'))}`], [wamid('A1')]],
  [
    'a time',
    [`update messages set timestamp = timestamp - interval '1 day' where ${of(wamid('H1'))}`],
    [wamid('H1')],
  ],
  ['a direction', [`update messages set direction = 'INBOUND' where ${of(wamid('A2'))}`], [wamid('A2')]],
  ['a type', [`update messages set type = 'video' where ${of(wamid('A1'))}`], [wamid('A1')]],
  ['a status', [`update messages set status = 'sent' where ${of(wamid('A2'))}`], [wamid('A2')]],
  ['an edited text', [`update messages set body = 'zzz' where ${of(wamid('A3'))}`], [wamid('A3')]],
  ['a revoked text', [`update messages set body = 'back' where ${of(wamid('A4'))}`], [wamid('A4')]],
  ['a revoke', [`update messages set deleted_at = '2020-01-01' where ${of(wamid('A4'))}`], [wamid('A4')]],
  [
    'a lead',
    [
      `update messages m set conversation_id = o.conversation_id, lead_id = o.lead_id from messages o
         where m.${of(wamid('A1'))} and o.${of(wamid('B1', BRU))}`,
    ],
    [wamid('A1')],
  ],
  [
    'rows that are gone',
    [`delete from messages where ${of(wamid('A1'))} or ${of(wamid('A4'))}`],
    [wamid('A1'), wamid('A4')],
  ],
];

describeOnServer('explain and verify', (backend) => {
  it.each(CHANGES)(
    'give one answer when somebody changed %s, and a replay sets it right',
    async (_, statements, wrong) => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await damage(store, ...statements);
      const expected = [...wrong].sort();
      expect(await faultyIds(store)).toEqual(expected);
      expect(await explainedFaults(store)).toEqual(expected);
      for (const id of wrong) {
        const { remedies } = await ask(store, id);
        expect(remedies[0]?.do).toMatch(/^replay_(contact|all)$/);
      }
      // What explain advises is the replay that sets it right.
      for (const id of wrong) {
        const [first] = (await ask(store, id)).remedies;
        if (first?.do === 'replay_contact')
          await replayLog(store, { which: 'all', contact: first.contact }, { register: false });
        else if (first?.do === 'replay_all') await replayLog(store, { which: 'all' }, { register: false });
      }
      expect(await faultyIds(store)).toEqual([]);
      expect(await explainedFaults(store)).toEqual([]);
    },
  );

  it('shows both texts only with --bodies, and every other pair of values', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await damage(
      store,
      `update messages set body = 'forjado', timestamp = timestamp + interval '1 hour' where ${of(wamid('A1'))}`,
    );
    const hidden = await ask(store, wamid('A1'));
    expect(hidden.verdict).toContain('Different from the raw log (time and body): ');
    expect(hidden.findings).toContainEqual(expect.objectContaining({ outcome: 'different' }));
    expect(JSON.stringify(hidden)).not.toMatch(/forjado|original/);
    const differences = hidden.messages[0]?.differences ?? [];
    expect(differences.map(({ field }) => field)).toEqual(['timestamp', 'body']);
    expect(differences[0]?.row).not.toEqual(differences[0]?.log);
    expect(differences[1]).toEqual({ field: 'body', what: 'body' });
    const shown = await ask(store, wamid('A1'), { bodies: true });
    expect(shown.messages[0]?.differences).toContainEqual({
      field: 'body',
      what: 'body',
      row: 'forjado',
      log: 'original',
    });
    expect(shown.remedies).not.toContainEqual({ do: 'scan' });
  });

  it('takes no side where two entries contradict each other, whatever order they came in', async () => {
    const one = history([old('C1', 0, { text: { body: 'um' } })]);
    const two = history([old('C1', 0, { text: { body: 'dois' } })], { order: 2 });
    for (const log of [
      [one, two],
      [two, one],
    ]) {
      const store = await backend.open();
      await replayBodies(store, log);
      await replayLog(store, { which: 'all' });
      expect(await faultyIds(store)).toEqual([]);
      expect((await ask(store, wamid('C1'))).findings).toEqual([]);
      expect(await store.sql.query('select body from messages')).toEqual([{ body: 'dois' }]);
      await damage(store, `update messages set body = 'zz'`);
      expect(await faultyIds(store)).toEqual([wamid('C1')]);
      await replayLog(store, { which: 'all' });
      expect(await store.sql.query('select body from messages')).toEqual([{ body: 'dois' }]);
      expect(await store.sql.query(`select status from webhook_log where status <> 'processed'`)).toEqual([]);
      await store.close();
    }
  });

  it('keep what a row knows better than the log', async () => {
    const store = await backend.open();
    await replayBodies(store, [history([old('K1', 0)])]);
    // Another program's better word: a live copy of the text.
    await damage(
      store,
      `update messages set body = 'better', evidence = evidence | (15 << 8) where ${of(wamid('K1'))}`,
    );
    await replayLog(store, { which: 'all' });
    expect(await store.sql.query('select body from messages')).toEqual([{ body: 'better' }]);
    expect(await faultyIds(store)).toEqual([]);
  });
});

describeOnServer('an entry that was stored with --connection', (backend) => {
  const bare = { messaging_product: 'whatsapp', messages: [item('N1', 0)] };

  it('is read so by explain, verify and every later replay, also after it was due once more', async () => {
    const store = await backend.open();
    await addConnection(store, { name: 'shop' });
    await replayBodies(store, [bare], {
      register: false,
      connection: 'shop',
      recordedOptions: { connection: 'shop' },
    });
    const [entry] = await store.sql.query('select id, run_id from webhook_log');
    const clean = async (): Promise<void> => {
      const explained = await ask(store, `log:${String(entry?.['id'])}`);
      expect(explained.findings).toEqual([]);
      expect(explained.facts).toMatchObject([{ outcome: 'created', connection: 'shop' }]);
      expect((await ask(store, wamid('N1'))).findings).toEqual([]);
      const { checks } = await verify(testContext(store), { checks: new Set(['raw_log']), enforce: false });
      expect(checks).toMatchObject([{ status: 'ok', checked: 1 }]);
    };
    await clean();
    const again = await replayLog(store, { which: 'all' }, { register: false });
    expect(again).toMatchObject({ status: 'completed', entries: { read: 1, processed: 1, pending: 0 } });
    await damage(store, `update webhook_log set status = 'pending', error = 'requeued'`);
    await replayLog(store, { which: 'pending' }, { register: false });
    await clean();
    expect(await store.sql.query('select run_id from webhook_log')).toEqual([{ run_id: entry?.['run_id'] }]);
  });
});

describeOnServer('a raw entry that was changed or is gone', (backend) => {
  const change = `update webhook_log set raw_body = convert_to(replace(convert_from(raw_body, 'UTF8'), 'A1', 'X1'), 'UTF8')
    where convert_from(raw_body, 'UTF8') like '%A1%'`;

  it('is told of by explain, and is neither believed nor stored once more by a replay of everything', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('A5', 5)]);
    await damage(store, change);
    const replayed = await replayLog(store, { which: 'all' });
    expect(replayed).toMatchObject({
      status: 'partial',
      entries: { read: 2, stored: 0, processed: 1, failed: 1 },
      problems: [{ reason: 'damaged' }],
    });
    expect(await store.sql.query(`select status from webhook_log`)).toEqual([
      { status: 'processed' },
      { status: 'processed' },
    ]);
    const [entry] = await store.sql.query(`select batch_id from messages where ${of(wamid('A1'))}`);
    for (const subject of [wamid('A1'), `log:${String(entry?.['batch_id'])}`]) {
      const explained = await ask(store, subject);
      expect(explained.findings).toMatchObject([{ outcome: 'damaged' }]);
      expect(explained.remedies).toContainEqual(expect.objectContaining({ do: 'replay_file', file: null }));
    }
    // A log that is appended to, or told of by another entry, changes nothing about that.
    await replayBodies(store, [live('A6', 9)]);
    expect((await ask(store, wamid('A1'))).findings).toHaveLength(1);
    await replayBodies(store, [live('A1', 0)]);
    expect((await ask(store, wamid('A1'))).findings).toEqual([]);
    expect(
      await store.sql.query('select count(*)::int as n from webhook_log where sha256(raw_body) = sha256'),
    ).toEqual([{ n: 3 }]);
  });

  it('is missed by explain when it is gone', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0)], { recordedOptions: { paths: ['hooks.ndjson'] } });
    await damage(store, 'delete from webhook_log');
    const explained = await ask(store, wamid('A1'));
    expect(explained.findings).toMatchObject([{ outcome: 'gone' }]);
    expect(explained.messages[0]?.goneEntry).not.toBeNull();
    expect(explained.remedies).toContainEqual(
      expect.objectContaining({ do: 'replay_file', file: 'hooks.ndjson' }),
    );
    await replayBodies(store, [live('A1', 0)]);
    expect((await ask(store, wamid('A1'))).findings).toEqual([]);
  });
});
