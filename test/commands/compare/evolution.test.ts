import { expect, it } from 'vitest';
import { compareAll, findsWhatIsPlanted, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { CLOUD, createDay, WEB } from '../../support/crm/day.js';
import { fillEvolution } from '../../support/crm/evolution.js';
import type { Bug } from '../../support/crm/expectation.js';
import { describeOnServer } from '../../support/databases.js';

const BUGS: readonly Bug[] = [
  'first_of_batch_only',
  'media_without_storage',
  'race_of_two_webhooks',
  'lid_split',
  'doubled_redelivery',
  'random_loss',
  'edits_overwrite',
];

const databases = useCrmDatabases();

describeOnServer('compare evolution', (backend) => {
  findsWhatIsPlanted(backend, databases, { crm: 'evolution', fill: fillEvolution, bugs: BUGS });

  it('names a bug of its webhooks only where messages come by webhooks', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 12, count: 200, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillEvolution, day);
    await crm.sql(`
      update "Message" set key = jsonb_set(key - 'remoteJidAlt', '{remoteJid}', '"5511900000321@s.whatsapp.net"')
      where id in (
        select distinct on ("instanceId") id from "Message"
        where key ->> 'remoteJid' like '%@s.whatsapp.net' and "messageType" = 'conversation' order by "instanceId", id
      )`);
    const { result } = await compareAll(store, 'evolution', { kind: 'database', url: crm.url });
    const why = result.connections.flatMap(({ connection, causes }) =>
      causes.flatMap((one) => (one.cause === 'filed_under_another_contact' ? [[connection, one.why]] : [])),
    );
    expect(why.sort()).toEqual([
      [`+${CLOUD.number}`, expect.stringContaining('Evolution API 2.3.7')],
      [WEB.name, 'the CRM stored the message under the contact of another person'],
    ]);
  });

  it('says of a row without a contact that it is under none', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 13, count: 120, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillEvolution, day);
    await crm.sql(`
      update "Message" set key = key - 'remoteJid' - 'remoteJidAlt'
      where id = (select min(id) from "Message" where "messageType" = 'conversation' and key ->> 'remoteJid' like '%@s.whatsapp.net')`);
    const { items } = await compareAll(store, 'evolution', { kind: 'database', url: crm.url });
    const others = items.filter((item) => item.class === 'other_contact');
    expect(others.map(({ detail }) => detail)).toEqual(['under no contact']);
  });
});
