import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readRepairedIds } from '../../../src/cli/repair-files.js';
import { z } from 'zod';
import { writePrune, writeRepair, type TextFile } from '../../../src/commands/compare/repair-files.js';
import type { CompareOptions, CrmName } from '../../../src/commands/compare/types.js';
import { fillChatwoot } from '../../support/crm/chatwoot.js';
import { compareAll, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases, type CrmDatabase } from '../../support/crm/database.js';
import { createDay, WEB } from '../../support/crm/day.js';
import { exportTables } from '../../support/crm/exporting.js';
import { fillWhaticket } from '../../support/crm/whaticket.js';
import { fillWid } from '../../support/crm/wid.js';
import { useBackend } from '../../support/databases.js';

function textFile(path: string): TextFile & { text: string } {
  const file = { path, text: '', write: (text: string) => void (file.text += text) };
  return file;
}

const subjectOf = (from: 'database' | 'files') => ({ place: 'a test', from, now: Date.now() });

async function writeSql(crm: CrmName, from: 'database' | 'files'): Promise<void> {
  const [script, undo, ids] = ['a.sql', 'a.undo.sql', 'a.ids'].map(textFile);
  if (!script || !undo || !ids) throw new Error('three files');
  await writeRepair(crm, { kind: 'sql', script, undo, ids }, subjectOf(from));
}

/** Refused with the reason, and with the way that there is. */
async function expectRefused(written: Promise<void>, reason: string): Promise<string> {
  const error: unknown = await written.then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  expect(error).toMatchObject({ code: 'crm_repair_unsupported' });
  expect(error).toHaveProperty('message', expect.stringContaining(reason));
  const { remedy } = z.object({ remedy: z.union([z.string(), z.array(z.string())]) }).parse(error);
  const said = [remedy].flat().join('\n');
  expect(said).toContain('--repair FILE.ndjson');
  return said;
}

const databases = useCrmDatabases();

describe('CRMs without safe SQL', () => {
  const backend = useBackend('postgresql');

  async function asData(
    crm: CrmName,
    fill: typeof fillWhaticket,
    placeOf: (database: CrmDatabase) => Promise<CompareOptions['place']> | CompareOptions['place'],
  ): Promise<void> {
    const store = await backend.open();
    const day = createDay({ seed: 31, count: 300, batched: true });
    await replayDay(store, day);
    const { crm: database } = await databases.filled(fill, day, ['random_loss']);
    const place = await placeOf(database);
    const data = textFile('lost.ndjson');
    const writer = await writeRepair(crm, { kind: 'ndjson', data }, subjectOf(place.kind));
    const { result } = await compareAll(store, crm, place, { repair: writer });
    await writer.end();
    const lines = data.text.trim().split('\n');
    expect(result.counts.lost).toBeGreaterThan(3);
    expect(lines).toHaveLength(result.counts.lost);
    const known = new Set(day.messages.map(({ id }) => id));
    for (const line of lines) {
      const message: unknown = JSON.parse(line);
      expect(message).toHaveProperty('timestamp');
      expect(message).toHaveProperty(
        'externalId',
        expect.toSatisfy((id: string) => known.has(id)),
      );
    }
  }

  it('whaticket-community: refused with the reason; the messages as data', async () => {
    const remedy = await expectRefused(writeSql('whaticket', 'database'), 'old ones would appear as new');
    // Its tables are those of ticketz, too, with fewer columns.
    expect(remedy).toContain('compare ticketz');
    await asData('whaticket', fillWhaticket, ({ readOnlyUrl: url }) => ({ kind: 'database', url }));
  });

  it('a table of one’s own: refused with the reason; the messages as data', async () => {
    await expectRefused(writeSql('table', 'database'), 'only its owner knows what else its rows need');
    await asData('table', fillWid, async ({ sql, readOnlyUrl: url }) => {
      await sql(
        `create view own_messages as
         select '${WEB.number}' as connection, m.wid as external_id, case when m."fromMe" then 'out' else 'in' end as direction,
           c.number as contact, m."createdAt" as timestamp, m."mediaType" as type, m.body
         from "Messages" m join "Tickets" t on t.id = m."ticketId" join "Contacts" c on c.id = t."contactId"`,
      );
      return { kind: 'database', url, table: 'own_messages' };
    });
  });

  it('Chatwoot by files, as of Chatwoot Cloud: refused with the reason; the messages as data', async () => {
    await expectRefused(writeSql('chatwoot', 'files'), 'Chatwoot Cloud takes no SQL');
    const [script, undo] = [textFile('a.sql'), textFile('a.undo.sql')];
    await expect(writePrune('chatwoot', { script, undo }, subjectOf('files'))).rejects.toMatchObject({
      code: 'crm_repair_unsupported',
    });
    const tables = [
      'messages',
      'inboxes',
      'conversations',
      'contacts',
      'contact_inboxes',
      'channel_whatsapp',
    ];
    await asData('chatwoot', fillChatwoot, ({ sql }) => exportTables(sql, tables));
  });
});

describe('--verify-repair reads', () => {
  const files: Record<string, string> = {
    'a.ids': 'c\twamid.A\nc\twamid.B\n',
    'b.ndjson': '{"externalId":"wamid.A","timestamp":"2025-09-16T05:20:00.000Z"}\n',
    'c.ids': '',
    'd.txt': 'anything\n',
    'e.ndjson': '{"id":1}\n',
    'f.ndjson': 'no JSON\n',
  };

  async function idsOf(name: string): Promise<ReadonlySet<string>> {
    const directory = await mkdtemp(join(tmpdir(), 'wa-repaired-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    for (const [file, text] of Object.entries(files)) await writeFile(join(directory, file), text);
    return readRepairedIds(name, { cwd: directory });
  }

  it('the ids beside SQL, and data', async () => {
    expect([...(await idsOf('a.sql'))]).toEqual(['wamid.A', 'wamid.B']);
    expect([...(await idsOf('b.ndjson'))]).toEqual(['wamid.A']);
  });

  it.each(['c.sql', 'd.txt', 'e.ndjson', 'f.ndjson', 'none.sql'])(
    'and refuses what is no repair: %s',
    async (name) => {
      await expect(idsOf(name)).rejects.toMatchObject({ code: 'repair_ids_unreadable', exitCode: 2 });
    },
  );
});
