import { expect, it } from 'vitest';
import { allowErased, erase } from '../../src/commands/erase/erase.js';
import { readMessages } from '../../src/commands/messages/read-messages.js';
import { exportMessages } from '../../src/commands/export/export-messages.js';
import { report } from '../../src/commands/report/report.js';
import { explain } from '../../src/commands/explain/explain.js';
import type { ProgressEvent } from '../../src/context.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { findingsBeside } from '../support/checking.js';
import { describeOnBackends, describeOnServer } from '../support/databases.js';
import { dumpOf } from '../support/database-dump.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { fakePhones } from '../support/history-pages.js';
import { importOf, type Asked } from '../support/importing.js';
import { reportOptions } from '../support/reporting.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import { ANA, ANA_LID, BRU, live, liveFrom, wamid, webEvent, webLive } from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;
const IN_GROUPS = { ...KEYED, include: new Set(['group'] as const) };
const GROUP = '120363000000000001@g.us';
const JID = `${ANA}@s.whatsapp.net`;
const BRUS = `${BRU}@s.whatsapp.net`;

const said = (key: string, at: number, participant: string, parts: JsonObject = {}): JsonObject =>
  webLive(key, at, parts, { remoteJid: GROUP, participant });

const reacted = (key: string, at: number, to: string, of: string, by: string): JsonObject =>
  said(key, at, by, {
    message: { reactionMessage: { key: { remoteJid: GROUP, id: to, participant: of }, text: '👍' } },
  });

/** Ana and Bru in a group; Ana is the last to say something. */
const LOG = [
  said('G1', 0, BRUS),
  said('G2', 10, JID, { pushName: 'Ana Maria', message: { conversation: 'secret of hers' } }),
  said('G3', 20, BRUS),
  reacted('R1', 30, 'G3', BRUS, JID),
  reacted('R2', 31, 'G2', JID, BRUS),
  reacted('R3', 32, 'G1', BRUS, BRUS),
  said('G4', 40, ANA_LID, { message: { conversation: 'secret of hers, too' } }),
  webEvent('lid-mapping.update', { lid: ANA_LID, pn: JID }),
] satisfies JsonObject[];

const HERS = [ANA, ANA_LID.split('@')[0] ?? '', 'Ana Maria', 'secret of hers'];

async function traces(store: Store): Promise<string[]> {
  const dump = await dumpOf(store);
  return HERS.filter((word) => dump.includes(word));
}

const findings = (store: Store): Promise<string[]> => findingsBeside(store, ['rejects']);

async function ofBru(store: Store): Promise<unknown> {
  return store.sql.query(
    `select to_jsonb(m)::text as row from messages m where external_id in ('G1', 'G3')
     union all select to_jsonb(r)::text from message_reactions r where reactor like '%${BRU}%' and target_external_id <> 'G2'
     order by 1`,
  );
}

const eraseAna = (store: Store) =>
  erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 1 });

describeOnServer('erase in groups', (backend) => {
  it('removes what the person wrote and how they reacted, touches nobody else, and keeps it out', async () => {
    const store = await backend.open();
    await replayBodies(store, [liveFrom('Ana Maria', 'A0', -10), ...LOG], IN_GROUPS);
    expect(await value(store, `select count(*)::int from messages where external_id like 'G%'`)).toBe(4);
    const before = await ofBru(store);
    expect(before).toHaveLength(3);
    await eraseAna(store);
    expect(await traces(store)).toEqual([]);
    expect(await ofBru(store)).toEqual(before);
    expect(await findings(store)).toEqual([]);

    const again = await replayBodies(
      store,
      LOG.map((body) => ({ level: 'info', body: JSON.stringify(body) })),
      IN_GROUPS,
    );
    expect(again.messages.skipped['erased']).toBe(2);
    await replayLog(store, { which: 'all' });
    await night(store, { full: true, apply: true });
    expect(await traces(store)).toEqual([]);
    expect(await ofBru(store)).toEqual(before);
    expect(await findings(store)).toEqual([]);
  });

  it('removes what the person had revoked, or an admin, of which only earlier versions say whose it was', async () => {
    const revoked = (key: string, at: number, id: string, of: string, by: string): JsonObject =>
      said(key, at, by, {
        message: { protocolMessage: { key: { remoteJid: GROUP, id, participant: of }, type: 'REVOKE' } },
      });
    const takenBack = [
      LOG[0],
      LOG[1],
      LOG[2],
      LOG[6],
      LOG[7],
      revoked('V1', 50, 'G2', JID, JID),
      revoked('V2', 51, 'G4', ANA_LID, BRUS),
      revoked('V3', 52, 'G3', BRUS, BRUS),
    ];
    for (const log of [takenBack, takenBack.toReversed()]) {
      const store = await backend.open();
      await replayBodies(store, log, IN_GROUPS);
      expect(
        await value(store, `select count(*)::int from messages where type = 'revoked' or body is null`),
      ).toBe(3);
      await eraseAna(store);
      expect(await traces(store)).toEqual([]);
      expect(await value(store, `select json_agg(external_id order by external_id) from messages`)).toEqual([
        'G1',
        'G3',
      ]);
      expect(await findings(store)).toEqual([]);
      await replayBodies(store, takenBack.toReversed(), IN_GROUPS);
      expect(await traces(store)).toEqual([]);
      expect(await findings(store)).toEqual([]);
      await store.close();
    }
  });

  it('finds a person who wrote nowhere else', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG.slice(0, 6), IN_GROUPS);
    await eraseAna(store);
    expect(await traces(store)).toEqual([]);
    expect(await value(store, `select json_agg(external_id order by 1) from messages`)).toEqual(['G1', 'G3']);
    expect(await findings(store)).toEqual([]);
  });
});

describeOnServer('a group in which only an erased person wrote', (backend) => {
  it('has no message and no ticket of theirs, and every command finds it as it should be', async () => {
    const store = await backend.open();
    await replayBodies(store, [LOG[1], LOG[6], LOG[7], live('B0', 1, { from: BRU })], IN_GROUPS);
    const tickets = `select count(*)::int from tickets where lead_id in (select id from leads where phone_number is null)`;
    expect(await value(store, tickets)).toBe(1);
    await eraseAna(store);
    expect(await value(store, tickets)).toBe(0);
    expect(await traces(store)).toEqual([]);
    expect(await findings(store)).toEqual([]);
    await night(store, { full: true, apply: true });
    expect(await findings(store)).toEqual([]);
    const { connections } = await report(testContext(store), reportOptions());
    for (const { accounts } of connections) expect(accounts.unexplained).toBe(0);
    expect(await value(store, `select json_agg(external_id) from messages`)).toEqual([wamid('B0', BRU)]);
  });

  it('stays as it is when the group comes again, and nothing is late or missing', async () => {
    const store = await backend.open();
    const log = [LOG[1], LOG[4], LOG[6], LOG[7], live('B0', 1, { from: BRU })];
    await replayBodies(store, log, IN_GROUPS);
    await eraseAna(store);
    const said = async () => {
      const ctx = testContext(store, KEYED);
      const { connections, alerts } = await report(ctx, reportOptions());
      return {
        findings: await findings(store),
        alerts: alerts
          .filter(({ kind, severity }) => kind !== 'silent' && severity !== 'note')
          .map(({ kind, message }) => `${kind}: ${message}`),
        unexplained: connections.map(({ accounts }) => accounts.unexplained),
      };
    };
    const before = await said();
    expect(before).toEqual({ findings: [], alerts: [], unexplained: [0, 0] });
    for (const again of [log, [...log].reverse()]) {
      await replayBodies(
        store,
        again.map((body) => ({ again: true, body: JSON.stringify(body) })),
        IN_GROUPS,
      );
      await replayLog(store, { which: 'all' }, IN_GROUPS);
      const reconciled = await night(store, { full: true, apply: true });
      expect(reconciled.status).toBe('completed');
      expect(await said()).toEqual(before);
      expect(await traces(store)).toEqual([]);
    }
  });
});

describeOnServer('what others do to an erased message in a group', (backend) => {
  it('does not wait for it, in whatever order the log comes again', async () => {
    const store = await backend.open();
    const group = { group_id: 'Z3J1cG8=' };
    // Meta's ids in groups hold the group, and a reaction says only what it is to.
    const log = [
      live('x', 0, { ...group, id: 'wamid.GROUP1' }),
      live('y', 1, {
        ...group,
        from: BRU,
        id: 'wamid.GROUP2',
        type: 'reaction',
        text: undefined,
        reaction: { message_id: 'wamid.GROUP1', emoji: '👍' },
      }),
      live('z', 2, { ...group, from: BRU, id: 'wamid.GROUP3' }),
    ];
    await replayBodies(store, log, IN_GROUPS);
    await eraseAna(store);
    expect(await findings(store)).toEqual([]);
    for (const [at, again] of [log, [...log].reverse()].entries()) {
      const bodies = again.map((body) => ({ at, body: JSON.stringify(body) }));
      const run = await replayBodies(store, bodies, { ...IN_GROUPS, batchSize: 1 });
      expect(run.messages.skipped['erased']).toBe(1);
      expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
    }
    expect(
      await value(
        store,
        `select count(*)::int from webhook_log where counters #>> '{skipped,reaction,erased}' = '1'`,
      ),
    ).toBe(3);
    expect(await value(store, `select json_agg(external_id) from messages`)).toEqual(['wamid.GROUP3']);
    expect(await findings(store)).toEqual([]);
    // Lifted, nothing is left of it.
    await allowErased(testContext(store, KEYED), `+${ANA}`);
    expect(await value(store, 'select count(*)::int from erased_identities')).toBe(0);
  });
});

describeOnBackends('the names of an erased person', (backend) => {
  it('are gone from every place that typed or showed them', async () => {
    const store = await backend.open();
    await replayBodies(
      store,
      [
        { peer: 'Ana Maria', topic: JID, body: JSON.stringify(liveFrom('Ana Maria', 'A0', 0)) },
        webLive('W1', 5, { pushName: 'Ana Maria', verifiedBizName: 'Loja da Ana' }),
        webEvent('chats.upsert', [{ id: JID, name: 'Ana da Loja' }]),
        live('B0', 1, { from: BRU }),
      ],
      KEYED,
    );
    await store.sql.execute(
      `update sync_runs set options = '{"contact": "+55 (11) 90000-0001", "name": "Ana da Loja"}', work = 'replay of ${ANA}'`,
    );
    await store.sql.execute(
      `update sync_logs set counters = '{"of": "Ana Maria"}', error_message = 'no ${ANA}'`,
    );
    await store.sql.execute(`update webhook_log set origin = '/logs/Ana Maria ${ANA}.json:1'`);
    await eraseAna(store);
    const dump = await dumpOf(store);
    expect(['Ana Maria', 'Ana da Loja', ANA, '90000-0001'].filter((word) => dump.includes(word))).toEqual([]);
  });
});

describeOnServer('an erased contact', (backend) => {
  it('is told to be erased, and when, to whoever asks for them with the key', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A0', 0), live('B0', 1, { from: BRU })]);
    const asked = { limit: 5000, scan: false, bodies: false, subject: `+${ANA}` };
    const unknown = await explain(testContext(store, KEYED), { ...asked, subject: '+5541900000009' });
    expect(unknown.verdict).toContain('No data found');
    await eraseAna(store);
    const ctx = testContext(store, KEYED);
    const day = new Date().toISOString().slice(0, 10);
    expect((await explain(ctx, asked)).verdict).toMatch(
      new RegExp(`^\\+${ANA} was erased on ${day} \\d\\d:\\d\\d UTC: `),
    );
    const sink = {
      begin: () => Promise.resolve(),
      messages: () => Promise.resolve(),
      end: () => Promise.resolve(),
    };
    const everything = { connection: undefined, from: undefined, to: undefined, separate: false };
    await expect(exportMessages(ctx, { contact: `+${ANA}`, ...everything }, sink)).rejects.toMatchObject({
      code: 'erased_contact',
    });
    await expect(readMessages(ctx, { contact: `+${ANA}`, limit: 10 })).rejects.toMatchObject({
      code: 'erased_contact',
      message: expect.stringContaining(`was erased on ${day}`) as string,
    });
    await expect(readMessages(ctx, { contact: '+5541900000009', limit: 10 })).rejects.toMatchObject({
      code: 'unknown_contact',
    });
    const refused = {
      code: 'erased_contact',
      message: expect.stringContaining(`was erased on ${day}`) as string,
    };
    const importing = (options: Asked) =>
      importOf(
        store,
        fakePhones(() => 'silence'),
        options,
      );
    const runs = await value(store, 'select count(*)::int from sync_runs');
    await expect(importing(KEYED)).rejects.toMatchObject(refused);
    await expect(replayLog(store, { which: 'all', contact: `+${ANA}` }, KEYED)).rejects.toMatchObject(
      refused,
    );
    expect(await value(store, 'select count(*)::int from sync_runs')).toBe(runs);
    expect((await importing({ ...KEYED, contact: BRU })).outcome).toBe('not_linked');
    // Without the key nobody can tell.
    const notices: string[] = [];
    const onEvent = (event: ProgressEvent): void => {
      if (event.event === 'notice') notices.push(event.message);
    };
    await importing({ onEvent });
    await replayLog(store, { which: 'all', contact: `+${ANA}` }, { onEvent });
    expect(notices).toHaveLength(2);
    expect(notices.every((notice) => notice.includes('WA_RECONCILE_SECRET_KEY'))).toBe(true);
    const keyless = testContext(store);
    expect((await explain(keyless, asked)).verdict).toContain('No data found');
    await expect(readMessages(keyless, { contact: `+${ANA}`, limit: 10 })).rejects.toMatchObject({
      code: 'unknown_contact',
      remedy: expect.arrayContaining([expect.stringContaining('WA_RECONCILE_SECRET_KEY')]) as string[],
    });
    expect((await readMessages(keyless, { contact: `+${BRU}`, limit: 10 })).messages).toHaveLength(1);
  });

  it('comes back with a new replay of the old log once that is allowed', async () => {
    const store = await backend.open();
    const log = [liveFrom('Ana Maria', 'A0', 0), live('B0', 1, { from: BRU })];
    await replayBodies(store, log);
    await eraseAna(store);
    const wrapped = (at: number) => log.map((body) => ({ at, body: JSON.stringify(body) }));
    expect((await replayBodies(store, wrapped(1), KEYED)).messages).toMatchObject({
      created: 0,
      skipped: { erased: 1 },
    });
    await allowErased(testContext(store, KEYED), `+${ANA}`);
    // What was stored without the person has them no more; the log has.
    expect((await replayLog(store, { which: 'all' })).messages.created).toBe(0);
    expect((await replayBodies(store, wrapped(2))).messages.created).toBe(1);
    expect(await value(store, `select count(*)::int from leads where phone_number = '+${ANA}'`)).toBe(1);
    expect(await findings(store)).toEqual([]);
  });
});
