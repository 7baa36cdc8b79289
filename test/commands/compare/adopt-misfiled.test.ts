import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { compare } from '../../../src/commands/compare/compare.js';
import type { CompareResult } from '../../../src/commands/compare/types.js';
import { erase, planErase } from '../../../src/commands/erase/erase.js';
import { replayAdopted } from '../../../src/commands/replay/replay-adopted.js';
import { report } from '../../../src/commands/report/report.js';
import { resolveInputs } from '../../../src/inputs/resolve-inputs.js';
import type { RawEntry } from '../../../src/model/raw-entry.js';
import type { Store } from '../../../src/store/store.js';
import { temporaryDirectory } from '../../cli/run-cli.js';
import { findingsBeside } from '../../support/checking.js';
import { dumpOf, tracesIn } from '../../support/database-dump.js';
import { describeOnBackends } from '../../support/databases.js';
import { replayBodies, replayLog, testContext } from '../../support/replaying.js';
import { reportOptions } from '../../support/reporting.js';
import { SECRET } from '../../support/secret.js';
import { value } from '../../support/shown.js';
import { ANA, BRU, BUSINESS, T0, live, wamid } from '../../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;
const BRU_LID = '222000000000002@lid';

/** A row of a CRM: it says that the chat is with Bru. */
function row(key: string, phone: string, body: string, at = 50): string {
  return `${BUSINESS},${wamid(key, phone)},in,${BRU},${T0 + at},text,${body}`;
}

async function adopt(
  store: Store,
  rows: readonly string[],
  options: { dryRun?: boolean } = {},
): Promise<CompareResult> {
  const cwd = await temporaryDirectory();
  const text = ['connection,external_id,direction,contact,timestamp,type,body', ...rows].join('\n');
  await writeFile(join(cwd, 'rows.csv'), text);
  return compare(testContext(store, KEYED), {
    crm: 'table',
    place: {
      kind: 'files',
      inputs: await resolveInputs(['rows.csv'], { cwd }),
      stdin: Readable.from([]),
    },
    map: [],
    adopt: { dryRun: options.dryRun ?? false },
    onItem: () => undefined,
  });
}

const bodies = (store: Store): Promise<unknown> =>
  value(store, `select string_agg(body, ', ' order by body) from messages`);

/** Ana is erased, and Bru has written. */
async function withoutAna(store: Store): Promise<void> {
  await replayBodies(store, [
    live('A1', 10, { text: { body: 'secret of Ana' } }),
    live('B1', 20, { from: BRU, text: { body: 'B1' } }),
  ]);
  await erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 50 });
  expect(await tracesIn(store, [ANA, 'secret'], ANA)).toEqual([]);
}

describeOnBackends('compare --adopt of rows that a CRM files under another contact', (backend) => {
  it('skips what has an erased person’s number in its id, and counts it as erased', async () => {
    const store = await backend.open();
    await withoutAna(store);
    const rows = [
      row('B1', BRU, 'B1', 20),
      row('B2', BRU, 'B2'),
      row('A1', ANA, 'secret of Ana'),
      row('A2', ANA, 'secret two'),
    ];
    const planned = await adopt(store, rows, { dryRun: true });
    expect(planned.adopted).toMatchObject({ entries: 3, created: 1, erased: 2, rejected: 0 });
    const { adopted, counts } = await adopt(store, rows);
    expect(counts).toMatchObject({ same: 1, only_in_crm: 3 });
    expect(adopted).toMatchObject({ entries: 3, created: 1, erased: 2, rejected: 0 });
    expect(await tracesIn(store, [ANA, 'secret'], ANA)).toEqual([]);
    expect(await bodies(store)).toBe('B1, B2');
    expect(await findingsBeside(store)).toEqual([]);
    const { alerts, rejected } = await report(
      testContext(store, { clock: () => (T0 + 3600) * 1000 }),
      reportOptions(),
    );
    expect(rejected).toEqual([]);
    expect(alerts.filter(({ severity }) => severity !== 'note')).toEqual([]);

    // What stays is a note, like other rows of whom was erased; asking again stores nothing more.
    const before = await dumpOf(store);
    const again = await adopt(store, rows);
    expect(again).toMatchObject({ severity: 'note', counts: { same: 2, only_in_crm: 2, lost: 0 } });
    expect(again.adopted).toMatchObject({ entries: 2, created: 0, erased: 2, rejected: 0 });
    expect(await value(store, 'select count(*)::int from webhook_log')).toBe(5);
    expect((await dumpOf(store)).includes('secret')).toBe(before.includes('secret'));
    await replayLog(store, { which: 'all' }, KEYED);
    expect(await bodies(store)).toBe('B1, B2');
    expect(await findingsBeside(store)).toEqual([]);
  });

  backend.once(
    'loses what was stored so before the erasure: the row, its entry and its history, and nothing of whom it was filed under',
    async () => {
      const store = await backend.open();
      await replayBodies(store, [
        live('A1', 10, { text: { body: 'secret of Ana' } }),
        live('B1', 20, { from: BRU, text: { body: 'B1' } }),
      ]);
      // The number of somebody else begins as Ana's does, and differs behind the part that a search for ids compares.
      const other = `${ANA.slice(0, -1)}${ANA.endsWith('9') ? '8' : '9'}`;
      await adopt(store, [
        row('A2', ANA, 'secret two', 50),
        row('B2', BRU, 'B2', 51),
        row('C1', other, 'of another', 52),
      ]);
      await replayBodies(store, [live('A3', 60, { from: BRU, id: wamid('A3', ANA), text: { body: 'A3' } })]);
      expect(await bodies(store)).toBe('A3, B1, B2, of another, secret of Ana, secret two');
      const plan = await planErase(testContext(store, KEYED), `+${ANA}`);
      expect(plan.tables).toContainEqual({ table: 'messages', rows: 2 });
      await erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 1 });
      expect(new Set(await tracesIn(store, ['secret'], ANA))).toEqual(new Set([wamid('A3', ANA)]));
      expect(await bodies(store)).toBe('A3, B1, B2, of another');
      await replayLog(store, { which: 'all' }, KEYED);
      expect(await bodies(store)).toBe('A3, B1, B2, of another');
      expect(await findingsBeside(store, ['wamid_phone'])).toEqual([]);
    },
  );

  backend.once(
    'takes nobody else for the erased person: whom the CRM names stays, with all names',
    async () => {
      const store = await backend.open();
      await withoutAna(store);
      const connection = {
        id: String(await value(store, 'select id::text from connections')),
        name: 'the connection',
      };
      const bytes = Buffer.from(
        JSON.stringify({
          crm: 'evolution',
          message: {
            external_id: wamid('A3', ANA),
            direction: 'INBOUND',
            people: [`${BRU}@s.whatsapp.net`, BRU_LID],
            timestamp: T0 + 60,
            type: 'text',
            body: 'secret three',
          },
          row: { id: '3' },
        }),
      );
      // eslint-disable-next-line @typescript-eslint/require-await
      async function* entries(): AsyncGenerator<RawEntry> {
        yield { bytes, origin: { kind: 'crm', crm: 'evolution', rowId: '3' } };
      }
      const hashes = await value(store, 'select count(*)::int from erased_identities');
      const result = await replayAdopted(testContext(store, KEYED), {
        crm: 'evolution',
        connection,
        entries: entries(),
        dryRun: false,
      });
      expect(result.messages).toMatchObject({ created: 0, skipped: { erased: 1 } });
      expect(await value(store, 'select count(*)::int from erased_identities')).toBe(hashes);
      // Nor is what the row says of Bru taken from it.
      expect(await value(store, `select count(*)::int from lead_identities where value = '${BRU_LID}'`)).toBe(
        0,
      );
      await replayBodies(store, [live('B3', 70, { from: BRU, text: { body: 'B3' } })], KEYED);
      expect(await bodies(store)).toBe('B1, B3');
      expect(await findingsBeside(store)).toEqual([]);
    },
  );

  backend.once(
    'leaves WhatsApp’s own log its word: an item there is of the number that it names itself',
    async () => {
      const store = await backend.open();
      await withoutAna(store);
      await replayBodies(
        store,
        [live('A4', 80, { from: BRU, id: wamid('A4', ANA), text: { body: 'A4' } })],
        KEYED,
      );
      expect(await bodies(store)).toBe('A4, B1');
    },
  );
});
