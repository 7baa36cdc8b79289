import { expect, it } from 'vitest';
import { recordAccess } from '../../src/commands/access/record-access.js';
import { erase } from '../../src/commands/erase/erase.js';
import { dumpOf } from '../support/database-dump.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import { ANA, ANA_LID, BRU, live, liveFrom, webLive } from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;
const LID = ANA_LID.split('@')[0] ?? '';

/** Names of files that people call after somebody, each with what stays of it. */
const FILES: readonly (readonly [file: string, left: string])[] = [
  ['logs/+55 11 90000-0001.ndjson', 'logs/[erased].ndjson'],
  [`logs/${ANA}.ndjson`, 'logs/[erased].ndjson'],
  ['logs/Ana Maria.ndjson', 'logs/[erased].ndjson'],
  [`logs/Ana_Maria-lid${LID}.ndjson`, 'logs/[erased]-lid[erased].ndjson'],
  ['logs/Mariana Maria.ndjson', 'logs/Mariana Maria.ndjson'],
  ['logs/hooks 11.ndjson', 'logs/hooks 11.ndjson'],
];

describeOnServer('the texts that stay of an erased person', (backend) => {
  it('F1: names of files lose the names in entries of everybody, and in runs', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      liveFrom('Ana Maria', 'A0', -10),
      webLive('WEB1', 60, {}, { remoteJid: ANA_LID, remoteJidAlt: `${ANA}@s.whatsapp.net` }),
      ...FILES.flatMap((_, at) => [live(`A${at}`, at), live(`B${at}`, at, { from: BRU })]),
    ]);
    await FILES.reduce(async (before, [file], at) => {
      await before;
      for (const [place, name] of ['A', 'B'].entries())
        await store.sql.execute(
          `update webhook_log set origin = $1 where id = (select batch_id from messages where body = $2)`,
          [`${file}:${place + 1}`, `${name}${at}`],
        );
    }, Promise.resolve());
    await store.sql.execute(
      `update sync_runs set options = jsonb_build_object('paths', to_jsonb($1::text[]))`,
      [`{${FILES.map(([file]) => `"${file}"`).join(',')}}`],
    );
    await erase(testContext(store, KEYED), { contact: ANA, secretKey: SECRET, batchSize: 9 });
    const due = FILES.flatMap(([, left]) => [`${left}:1`, `${left}:2`]).sort();
    expect(
      await value(
        store,
        `select json_agg(origin order by origin collate "C") from webhook_log where origin like 'logs/%'`,
      ),
    ).toEqual(due);
    expect(
      await value(store, `select options -> 'paths' from sync_runs where command = 'replay' limit 1`),
    ).toEqual(FILES.map(([, left]) => left));
    const dump = await dumpOf(store);
    for (const word of [ANA, LID, '90000-0001', 'Ana_Maria', '/Ana Maria']) expect(dump).not.toContain(word);
  });

  it('A1: who looked at the person is not named as the person, and who looked at others is', async () => {
    const store = await backend.open();
    await replayBodies(store, [liveFrom('Ana Maria', 'A0', -10), live('B0', 0, { from: BRU })]);
    const lead = async (phone: string) =>
      String(await value(store, `select id from leads where phone_number = '+${phone}'`));
    for (const [phone, actor] of [
      [ANA, 'for Ana Maria'],
      [ANA, 'Bob'],
      [BRU, 'Ana Maria'],
    ] as const)
      await recordAccess(
        { ...testContext(store), actor },
        {
          command: 'messages',
          shown: [{ leadId: await lead(phone), messages: 1 }],
        },
      );
    await erase(testContext(store, KEYED), { contact: ANA, secretKey: SECRET, batchSize: 9 });
    expect(await value(store, `select json_agg(actor order by actor collate "C") from access_log`)).toEqual([
      'Ana Maria',
      'Bob',
      'for [erased]',
    ]);
  });
});
