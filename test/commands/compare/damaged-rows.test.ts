import { expect, it } from 'vitest';
import type { CrmName } from '../../../src/commands/compare/types.js';
import { compareAll, notInCrm, replayDay } from '../../support/crm/comparing.js';
import { fillChatwoot } from '../../support/crm/chatwoot.js';
import { useCrmDatabases, type Fill } from '../../support/crm/database.js';
import { CLOUD, createDay, WEB } from '../../support/crm/day.js';
import { fillEvolution } from '../../support/crm/evolution.js';
import { fillTicketz } from '../../support/crm/ticketz.js';
import { fillWhaticket } from '../../support/crm/whaticket.js';
import { fillWhatrack } from '../../support/crm/whatrack.js';
import { fillWid } from '../../support/crm/wid.js';
import { describeOnBackends } from '../../support/databases.js';

/** What becomes of a row, and the fields that a comparison has to name. */
type Damage = readonly [set: string, fields: string];

interface Damaged {
  crm: CrmName;
  fill: Fill;
  /** What is done before: columns may then be null, as a fork's or an import's may. */
  prepare?: string;
  table: string;
  /** What a comparison calls a row of it. */
  id: string;
  connections: readonly string[];
  texts: readonly Damage[];
  /** Of pictures with a caption. */
  pictures?: readonly Damage[];
}

const CLOUD_NAME = `+${CLOUD.number}`;

/** An assignment of a column for each of the values. */
function each(column: string, values: readonly string[], fields: string): Damage[] {
  return values.map((value) => [`${column} = ${value}`, fields]);
}

const TICKETZ_TIME = (value: string): string =>
  `jsonb_set("dataJson"::jsonb, '{messageTimestamp}', '${value}')::text`;
const TICKETZ_CONTENT = (value: string): string =>
  `jsonb_set("dataJson"::jsonb, '{message}', '${value}')::text`;

/** Of the whole family. */
const WHATICKET: readonly Damage[] = [
  ...each('body', [`''`, 'null', `' '`, `'CHANGED'`, `'0'`, `body || '.'`], 'body'),
  ...each(
    '"mediaType"',
    [`'image'`, `'audio'`, `'application'`, `'sticker'`, `'location'`, `'vcard'`],
    'type',
  ),
  ...each('"fromMe"', ['null', 'not "fromMe"'], 'direction'),
];

/** Of a picture; a document may be a picture's file, and a picture without its type says nothing. */
const WHATICKET_PICTURES = each('"mediaType"', [`'audio'`, `'video'`, `'ptt'`], 'type');

const DAMAGED: readonly Damaged[] = [
  {
    crm: 'evolution',
    fill: fillEvolution,
    table: '"Message"',
    id: 'id',
    connections: [CLOUD_NAME, WEB.name],
    texts: [
      ...each(
        'message',
        [
          `'{"conversation": ""}'`,
          `'{"conversation": null}'`,
          `'null'`,
          `'{}'`,
          `'[]'`,
          `'{"conversation": "CHANGED"}'`,
          `'{"extendedTextMessage": {"text": " "}}'`,
        ],
        'body',
      ),
      [`"messageType" = 'stickerMessage', message = '{"stickerMessage": {}}'`, 'type'],
      [`"messageType" = 'imageMessage', message = '{"imageMessage": {}}'`, 'type, body'],
      [`message = '{"audioMessage": {}}'`, 'type'],
      [`message = '{"locationMessage": {}}'`, 'type'],
      [`message = '{"pollCreationMessageV3": {"name": "?"}}'`, 'type'],
      [`"messageType" = 'documentMessage'`, 'type'],
      [`"messageType" = ''`, 'type'],
      ...each(
        '"messageTimestamp"',
        ['0', '-5', '1', '"messageTimestamp" + 7200', '2147483647', '-2147483648'],
        'timestamp',
      ),
      ...each(
        'key',
        [
          `key - 'fromMe'`,
          `jsonb_set(key, '{fromMe}', 'null')`,
          `jsonb_set(key, '{fromMe}', '""')`,
          `jsonb_set(key, '{fromMe}', '0')`,
          `jsonb_set(key, '{fromMe}', to_jsonb(not (key->>'fromMe')::boolean))`,
        ],
        'direction',
      ),
    ],
    pictures: [
      [`message = '{"imageMessage": {}}'`, 'body'],
      [`message = '{"imageMessage": {"caption": ""}}'`, 'body'],
      [`message = '{"imageMessage": {"caption": "CHANGED"}}'`, 'body'],
      [`message = '{}'`, 'type'],
      [`message = 'null'`, 'type'],
      [`message = '{"stickerMessage": {}}'`, 'type'],
      [`message = '{"conversation": "x"}'`, 'type, body'],
      [`"messageType" = ''`, 'type'],
      [`"messageType" = 'conversation', message = '{}'`, 'type'],
    ],
  },
  {
    crm: 'ticketz',
    fill: fillTicketz,
    prepare: `alter table "Messages" alter body drop not null, alter "fromMe" drop not null`,
    table: '"Messages"',
    id: `id || '/' || "ticketId"`,
    connections: [WEB.name],
    texts: [
      ...WHATICKET,
      ...each(
        '"dataJson"',
        [
          ...['0', '-5', '1', 'null', '""', '{"low": 0, "high": 0}'].map(TICKETZ_TIME),
          `("dataJson"::jsonb - 'messageTimestamp')::text`,
          `'{'`,
        ],
        'timestamp',
      ),
      ...each('"dataJson"', [`{"stickerMessage": {}}`, `{"imageMessage": {}}`].map(TICKETZ_CONTENT), 'type'),
    ],
    pictures: WHATICKET_PICTURES,
  },
  {
    crm: 'ticketz',
    fill: fillWid,
    prepare: `alter table "Messages" alter body drop not null, alter "fromMe" drop not null, alter "createdAt" drop not null`,
    table: '"Messages"',
    id: 'id::text',
    connections: [WEB.name],
    texts: [
      ...WHATICKET,
      ...each(
        '"createdAt"',
        ['null', 'to_timestamp(0)', 'to_timestamp(-5)', `"createdAt" + interval '2 hours'`, `'infinity'`],
        'timestamp',
      ),
    ],
    pictures: WHATICKET_PICTURES,
  },
  {
    crm: 'whaticket',
    fill: fillWhaticket,
    prepare: `alter table "Messages" alter body drop not null, alter "fromMe" drop not null`,
    table: '"Messages"',
    id: 'id',
    connections: [WEB.name],
    texts: WHATICKET,
    pictures: WHATICKET_PICTURES,
  },
  {
    crm: 'chatwoot',
    fill: fillChatwoot,
    prepare: `alter table messages alter message_type drop not null`,
    table: 'messages',
    id: 'id::text',
    connections: [CLOUD_NAME, WEB.name],
    texts: [
      ...each('content', ['null', `''`, `' '`, `'CHANGED'`, `'0'`, `content || '.'`], 'body'),
      ...each('message_type', ['null', '1', '3', '9', '-1'], 'direction'),
      ['content_type = 11', 'type'],
      ...each(
        'content_attributes',
        [
          `'{"external_created_at": 0}'`,
          `'{"external_created_at": -5}'`,
          `'{"external_created_at": ""}'`,
          `'{"external_created_at": 1}'`,
        ],
        'timestamp',
      ),
    ],
  },
  {
    crm: 'whatrack',
    fill: fillWhatrack,
    prepare: `alter table whatsapp_messages alter timestamp drop not null, alter "directionId" drop not null`,
    table: 'whatsapp_messages',
    id: 'id::text',
    connections: [CLOUD_NAME],
    texts: [
      ...each('body', ['null', `''`, `' '`, `'CHANGED'`, `'0'`, `body || '.'`], 'body'),
      ...each(
        'type',
        [`'sticker'`, `'image'`, `'audio'`, `'voice'`, `'location'`, `'contacts'`, `''`],
        'type',
      ),
      ...each(
        'timestamp',
        ['null', `'1970-01-01'`, `'1969-12-31 23:59:55'`, `timestamp + interval '2 hours'`, `'infinity'`],
        'timestamp',
      ),
      [`"directionId" = null`, 'direction'],
      [
        `"directionId" = (select id from crm_message_directions d where d.id <> "directionId" limit 1)`,
        'direction',
      ],
    ],
  },
  {
    crm: 'table',
    fill: async (sql, day, options) => {
      const expectation = await fillWid(sql, day, options);
      await sql(`
        create table wa as
        select m.id, '${WEB.number}' as connection, m.wid as external_id, case when m."fromMe" then 'out' else 'in' end as direction,
          c.number as contact, extract(epoch from m."createdAt")::bigint::text as timestamp, m."mediaType" as type, m.body
        from "Messages" m join "Tickets" t on t.id = m."ticketId" join "Contacts" c on c.id = t."contactId"
        where not m."isPrivate" and not m."isDeleted" and not t."isGroup" and m.channel = 'whatsapp'`);
      return expectation;
    },
    table: 'wa',
    id: 'id::text',
    connections: [WEB.name],
    texts: [
      ...each('body', ['null', `''`, `' '`, `'CHANGED'`, `'0'`, `body || '.'`], 'body'),
      ...each('type', [`'sticker'`, `'image'`, `'audioMessage'`, `'ptt'`, `'location'`, `'contact'`], 'type'),
      ...each('timestamp', ['null', `''`, `'0'`, `'1'`, `'0.0'`, `'1970-01-01T00:00:00Z'`], 'timestamp'),
      ...each('direction', ['null', `''`, `case direction when 'in' then 'out' else 'in' end`], 'direction'),
    ],
  },
];

const DAY = createDay({ seed: 71, count: 600, batched: true });

const databases = useCrmDatabases();

describeOnBackends('a damaged row', (backend) => {
  it.each(DAMAGED.map((one) => [`${one.crm}, ${one.fill.name || 'a table'}`, one] as const))(
    'of %s differs, and its field is named; healthy ones are the same',
    async (_name, { crm: name, fill, prepare, table, id, connections, texts, pictures = [] }) => {
      const store = await backend.open();
      await replayDay(store, DAY);
      const { crm } = await databases.filled(fill, DAY);
      if (prepare !== undefined) await crm.sql(prepare);
      const place = { kind: 'database', url: crm.url, ...(name === 'table' ? { table } : {}) } as const;
      const options = { map: notInCrm(connections) };
      const healthy = await compareAll(store, name, place, options);
      expect(healthy.result.counts).toMatchObject({ differs: 0, other_contact: 0, doubled: 0 });
      const same = new Map(
        healthy.items.flatMap(({ class: is, externalId, rowId }) =>
          is === 'same' && externalId !== null && rowId !== null ? [[externalId, rowId] as const] : [],
        ),
      );

      const messages = await store.sql.query(
        `select external_id, type, connection_id from messages
         where type in ('text', 'image') and body is not null and direction = 'INBOUND' and source = 'live'
           and edited_at is null and deleted_at is null
         order by md5(external_id)`,
      );
      const rowsOf = (type: string): string[] =>
        messages.flatMap((message) =>
          message.type === type ? (same.get(String(message.external_id)) ?? []) : [],
        );
      const wanted = new Map<string, string>();
      for (const [type, damages] of [
        ['text', texts],
        ['image', pictures],
      ] as const) {
        const rows = rowsOf(type);
        expect(rows.length).toBeGreaterThanOrEqual(damages.length);
        for (const [i, [set, fields]] of damages.entries()) {
          const row = rows[i] ?? '';
          await crm.sql(`update ${table} set ${set} where ${id} = $1`, [row]);
          wanted.set(row, `${set}: ${fields}`);
        }
      }
      const { items } = await compareAll(store, name, place, options);
      const found = new Map(
        items.flatMap(({ class: is, rowId, detail }) =>
          is === 'differs' ? [[rowId ?? '', detail] as const] : [],
        ),
      );
      const said = [...wanted].map(
        ([row, what]) => `${what.slice(0, what.lastIndexOf(': '))}: ${found.get(row) ?? 'same'}`,
      );
      expect(said).toEqual([...wanted.values()]);
      expect(found.size).toBe(wanted.size);
    },
  );
});
