import { expect, it } from 'vitest';
import type { CrmName } from '../../../src/commands/compare/types.js';
import { fillChatwoot } from '../../support/crm/chatwoot.js';
import { compareAll, notInCrm, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases, type Fill } from '../../support/crm/database.js';
import { CLOUD, createDay, isEditedText, WEB } from '../../support/crm/day.js';
import { fillEvolution } from '../../support/crm/evolution.js';
import { fillWhaticket } from '../../support/crm/whaticket.js';
import { describeOnServer } from '../../support/databases.js';

/** After everything that the day's log says. */
const LATER = 1_790_000_000;

const DAY = createDay({ seed: 71, count: 600, batched: true });

const databases = useCrmDatabases();

/** The words of one message in the CRM. */
interface Words {
  crm: CrmName;
  fill: Fill;
  connections: readonly string[];
  /** `$1` the words, `$2` the key id. */
  write: string;
}

const WORDS: readonly Words[] = [
  {
    crm: 'evolution',
    fill: fillEvolution,
    connections: [`+${CLOUD.number}`, WEB.name],
    write: `update "Message" set message = jsonb_build_object('conversation', $1::text) where key ->> 'id' = $2`,
  },
  {
    crm: 'chatwoot',
    fill: fillChatwoot,
    connections: [`+${CLOUD.number}`, WEB.name],
    write: `update messages set content = $1 where source_id = 'WAID:' || $2
      and coalesce(content_attributes->>'in_reply_to_external_id', '') not like '%' || $2`,
  },
  {
    crm: 'whaticket',
    fill: fillWhaticket,
    connections: [WEB.name],
    write: `update "Messages" set body = $1 where id = $2`,
  },
];

describeOnServer('the words of an edited message', (backend) => {
  it.each(WORDS.map((one) => [one.crm, one] as const))(
    'are in %s one of those that the log has, else it differs',
    async (_name, { crm: name, fill, connections, write }) => {
      const store = await backend.open();
      await replayDay(store, DAY);
      const { crm } = await databases.filled(fill, DAY);
      const message = DAY.messages.find(isEditedText);
      expect(message).toBeDefined();
      const found: string[] = [];
      for (const words of [message?.body, message?.edit?.body, 'WIPED', '']) {
        await crm.sql(write, [words, message?.id]);
        const { items } = await compareAll(
          store,
          name,
          { kind: 'database', url: crm.url },
          { map: notInCrm(connections) },
        );
        const item = items.find(({ externalId }) => externalId === message?.id);
        found.push(`${item?.class ?? ''} ${item?.detail ?? ''}`.trim());
        expect(items.filter(({ class: is }) => is === 'differs')).toHaveLength(
          item?.class === 'differs' ? 1 : 0,
        );
      }
      expect(found).toEqual(['same', 'same', 'differs body', 'differs body']);
    },
  );

  it('are compared in a row that Evolution marks as edited, whatever its time says', async () => {
    const store = await backend.open();
    await replayDay(store, DAY);
    const { crm } = await databases.filled(fillEvolution, DAY);
    const place = { kind: 'database', url: crm.url } as const;
    const before = (await compareAll(store, 'evolution', place)).items;
    await crm.sql(
      `update "Message" set status = 'EDITED', "messageTimestamp" = 1 where "messageType" = 'conversation'`,
    );
    expect((await compareAll(store, 'evolution', place)).items).toEqual(before);
    await crm.sql(
      `update "Message" set message = '{"conversation": "WIPED"}' where "messageType" = 'conversation'`,
    );
    const { result } = await compareAll(store, 'evolution', place);
    const texts = await store.sql.query(
      `select external_id from messages where type = 'text' and deleted_at is null`,
    );
    const ids = new Set(texts.map(({ external_id: id }) => id));
    const wanted = before.filter(({ class: is, externalId }) => is === 'same' && ids.has(externalId));
    expect(wanted.length).toBeGreaterThan(50);
    expect(result).toMatchObject({ severity: 'loss', counts: { differs: wanted.length } });
  });

  it('are a counted note where Evolution took an edit after the end of the log', async () => {
    const store = await backend.open();
    await replayDay(store, DAY);
    const { crm } = await databases.filled(fillEvolution, DAY);
    const message = DAY.messages.find(isEditedText);
    await crm.sql(
      `update "Message" set status = 'EDITED', "messageTimestamp" = $1,
         message = '{"key": {"id": "X"}, "type": "MESSAGE_EDIT", "editedMessage": {"conversation": "Depois"}}'
       where key ->> 'id' = $2`,
      [LATER, message?.id],
    );
    const { result, items } = await compareAll(store, 'evolution', { kind: 'database', url: crm.url });
    expect(items.find(({ externalId }) => externalId === message?.id)).toMatchObject({
      sign: '!',
      class: 'same',
      detail: 'edited after the end of the log',
    });
    expect(result).toMatchObject({ severity: 'note', counts: { differs: 0 } });
    expect(result.connections.map(({ editedLater }) => editedLater).sort()).toEqual([0, 1]);
  });
});
