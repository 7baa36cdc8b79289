import { Readable } from 'node:stream';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { renderChat } from '../../src/cli/views/chat.js';
import { createLook } from '../../src/cli/ui/look.js';
import { compareChat } from '../../src/commands/compare-chat/compare-chat.js';
import type { CompareChatOptions, CompareChatResult } from '../../src/commands/compare-chat/types.js';
import { rawDiscard } from '../../src/commands/raw-discard/raw-discard.js';
import { readMessages } from '../../src/commands/messages/read-messages.js';
import { report } from '../../src/commands/report/report.js';
import { undo } from '../../src/commands/undo/undo.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import { resolveInputs } from '../../src/inputs/resolve-inputs.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { CHAT_FORMS, writeChat, type ChatWriting, type PhoneMessage } from '../support/chat-export.js';
import { compareAll } from '../support/crm/comparing.js';
import { dumpDatabase, type Dump } from '../support/damage.js';
import { describeOnBackends } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import {
  ANA,
  ANA_LID,
  FIRST,
  echo,
  edit,
  live,
  liveFrom,
  T0,
  wamid,
  webEvent,
  webLive,
} from '../support/webhooks.js';

const [ANDROID, IPHONE] = ['Android, Brazil', 'iPhone, Brazil'].map((name) =>
  CHAT_FORMS.find((form) => form.name === name),
);
const HELLO = 'Bom dia, ainda tem vaga para sexta?';
const ANSWER = 'Tem sim: as 10h ou as 15h, qual prefere?';
const WHERE = 'E o endereço, qual é?';

/** What the log holds from the beginning. */
const LOG: JsonObject[] = [
  liveFrom('Ana', 'hello', 0, { text: { body: HELLO } }),
  echo('answer', 60, { text: { body: ANSWER } }),
  live('ok', 120, { text: { body: 'ok' } }),
];
/** What comes later: the second `ok`, the photo, the document and the question. */
const LATER: JsonObject[] = [
  live('ok2', 130, { text: { body: 'ok' } }),
  live('photo', 200, {
    type: 'image',
    text: undefined,
    image: { id: '1', mime_type: 'image/jpeg', caption: 'veja' },
  }),
  live('where', 425, { text: { body: WHERE } }),
];

function said(at: number, text: string, sender = 'Ana', isEdited = false): PhoneMessage {
  return { at: (T0 + at) * 1000, sender, shows: { kind: 'text', text, isEdited } };
}

const CHAT: readonly PhoneMessage[] = [
  said(0, HELLO),
  said(60, ANSWER, 'Loja Centro'),
  said(120, 'ok'),
  said(130, 'ok'),
  { at: (T0 + 200) * 1000, sender: 'Ana', shows: { kind: 'file', file: 'image', caption: 'veja' } },
  said(425, WHERE),
];

async function chatFile(
  messages: readonly PhoneMessage[],
  writing: Partial<ChatWriting> = {},
): Promise<{ cwd: string; file: string }> {
  const cwd = await mkdtemp(join(tmpdir(), 'wa-reconcile-chat-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const form = writing.form ?? ANDROID;
  if (form === undefined) throw new Error('no form');
  const { text } = writeChat(messages, { timeZone: 'America/Sao_Paulo', withFiles: true, ...writing, form });
  await writeFile(join(cwd, 'chat.txt'), text);
  return { cwd, file: 'chat.txt' };
}

async function adopt(
  store: Store,
  chat: readonly PhoneMessage[] = CHAT,
  options: Partial<CompareChatOptions> = {},
  writing: Partial<ChatWriting> = {},
): Promise<CompareChatResult> {
  const place = await chatFile(chat, writing);
  return compareChat(testContext(store), { contact: ANA, ...place, adopt: { dryRun: false }, ...options });
}

/** Who, when and what, oldest first; ids of exported chats without their digest. */
async function shown(store: Store): Promise<string[]> {
  const rows = await store.sql.query(
    `select m.direction, m.type, coalesce(m.body, '') as body, extract(epoch from m.timestamp)::int - ${T0} as at,
       m.source, m.sync_source, starts_with(m.external_id, 'export:') as made_up
     from messages m order by m.timestamp, m.external_id`,
  );
  return rows.map((row) =>
    [
      row.at,
      row.direction === 'INBOUND' ? '<' : '>',
      row.type,
      row.body,
      row.made_up === true ? `${String(row.source)} ${String(row.sync_source)}` : 'own id',
    ]
      .map(String)
      .join(' '),
  );
}

async function findings(store: Store): Promise<unknown[]> {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  return checks.filter(({ status }) => status === 'findings');
}

function rowsOf(store: Store): Promise<Dump> {
  return dumpDatabase(store, ['sync_runs', 'sync_logs', 'change_journal', 'connections', 'discarded_bodies']);
}

async function entriesOf(store: Store): Promise<string[]> {
  const rows = await store.sql.query(
    `select convert_from(raw_body, 'UTF8') as body from webhook_log where provider = 'crm:chat-export' order by id`,
  );
  return rows.map(({ body }) => String(body));
}

const WITNESSED = [
  '120 < text ok history batch_recover',
  '180 < image veja history batch_recover',
  `420 < text ${WHERE} history batch_recover`,
];
const OWN = [`0 < text ${HELLO} own id`, `60 > text ${ANSWER} own id`, '120 < text ok own id'];
const ALL_OWN = [...OWN, '130 < text ok own id', '200 < image veja own id', `425 < text ${WHERE} own id`];

function sorted(lines: readonly string[]): string[] {
  return lines.toSorted((a, b) => parseInt(a, 10) - parseInt(b, 10) || (a < b ? -1 : 1));
}

describeOnBackends('compare chat-export --adopt', (backend) => {
  backend.once(
    'stores the missing lines to the minute, without tickets, once; a dry run stores nothing',
    async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      const before = await rowsOf(store);
      const tickets = await store.sql.query('select * from tickets');
      const planned = await adopt(store, CHAT, { adopt: { dryRun: true } });
      expect(planned).toMatchObject({
        severity: 'loss',
        adopted: { dryRun: true, entries: 3, created: 3, leftOut: {} },
      });
      expect(await rowsOf(store)).toEqual(before);

      const result = await adopt(store);
      expect(result).toMatchObject({
        counts: { lost: 3 },
        severity: null,
        adopted: { dryRun: false, entries: 3, created: 3, leftOut: {} },
      });
      expect(sorted(await shown(store))).toEqual(sorted([...OWN, ...WITNESSED]));
      expect(await store.sql.query('select * from tickets')).toEqual(tickets);
      const [flagged] = await store.sql.query(
        `select raw_meta ->> 'timestampFrom' as from, raw_meta ->> 'timestampPrecision' as precision from messages
       where body = $1`,
        [WHERE],
      );
      expect(flagged).toEqual({ from: 'chat_export', precision: 'minute' });
      expect(await findings(store)).toEqual([]);

      const once = await rowsOf(store);
      expect(await adopt(store)).toMatchObject({ counts: { lost: 0, matched: 6 }, adopted: { entries: 0 } });
      // Another export of the same chat, from an iPhone and without its files, says nothing new either.
      expect(await adopt(store, CHAT, {}, { withFiles: false })).toMatchObject({ adopted: { created: 0 } });
      expect(await rowsOf(store)).toEqual(once);
      await replayLog(store, { which: 'all' });
      expect(await shown(store)).toHaveLength(6);
      expect(await findings(store)).toEqual([]);
    },
  );

  backend.once('a message with its own id takes the place of its line, one by one', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await adopt(store);
    for (const [at, body] of LATER.entries()) {
      expect(await replayBodies(store, [body])).toMatchObject({ status: 'completed', problemCount: 0 });
      const expected = [...OWN, ...ALL_OWN.slice(3, 4 + at), ...WITNESSED.slice(at + 1)];
      expect(sorted(await shown(store))).toEqual(sorted(expected));
      expect(await findings(store)).toEqual([]);
    }
    expect(await adopt(store)).toMatchObject({ counts: { lost: 0, matched: 6 } });
    await replayLog(store, { which: 'all' });
    expect(sorted(await shown(store))).toEqual(sorted(ALL_OWN));
    expect(await findings(store)).toEqual([]);
  });

  backend.once('any order of lines and messages ends in one database', async () => {
    const source = await backend.open();
    await replayBodies(source, LOG);
    await adopt(source);
    const lines = await entriesOf(source);
    expect(lines).toHaveLength(3);
    const without = ['sync_logs', 'sync_runs'];
    const options = { without, tickets: 'none' as const, connection: '+5511900000000' };
    const prepare = async (store: Store): Promise<void> => {
      await addConnection(store, {
        name: options.connection,
        kind: 'coexistence',
        number: options.connection,
        phoneNumberId: FIRST.id,
      });
    };
    const one = await expectOneDatabase(backend, [...LOG, ...lines, ...LATER], { ...options, prepare });
    expect(sorted(await shown(one))).toEqual(sorted(ALL_OWN));
    expect(await findings(one)).toEqual([]);
    // Of two equal lines in one minute, one message leaves one.
    const [second = ''] = lines.filter((line) => line.includes('"ok"'));
    const half = await expectOneDatabase(backend, [...LOG.slice(0, 2), second, ...LATER.slice(0, 1)], {
      ...options,
      prepare,
    });
    expect((await shown(half)).filter((line) => line.includes(' ok '))).toHaveLength(2);
  });

  backend.once(
    'over WhatsApp Web, edited later, or under a LID that turns out to be the contact',
    async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      const chat = [
        ...CHAT.slice(0, 3),
        said(500, 'às 15h, então, por favor', 'Ana', true),
        said(600, 'Combinado, obrigada!'),
      ];
      expect(await adopt(store, chat)).toMatchObject({ adopted: { created: 2 } });
      await replayBodies(store, [live('change', 501, { text: { body: 'às 10h' } })]);
      expect(await shown(store)).toHaveLength(6);
      await replayBodies(store, [
        edit('change', 'change-2', 520, { type: 'text', text: { body: 'às 15h, então, por favor' } }),
      ]);
      expect(await shown(store)).toHaveLength(5);
      const web = { connection: '+5511900000000' };
      await replayBodies(
        store,
        [
          webLive(
            '3EB0THANKS',
            605,
            { message: { conversation: 'Combinado, obrigada!' } },
            { remoteJid: ANA_LID },
          ),
        ],
        web,
      );
      expect(await shown(store)).toHaveLength(6);
      await replayBodies(
        store,
        [webEvent('lid-mapping.update', { lid: ANA_LID, pn: `${ANA}@s.whatsapp.net` })],
        web,
      );
      expect((await shown(store)).filter((line) => line.includes('batch_recover'))).toEqual([]);
      expect(await shown(store)).toHaveLength(5);
      expect(await findings(store)).toEqual([]);
    },
  );

  backend.once(
    'what is open is not adopted: another minute, another direction, a change of the clock, an edit',
    async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      // Of `ok` at 2:00 and `ok` at 3:00 one is stored at 2:00 and may be either, for the clocks are not the same.
      const open = [...CHAT.slice(0, 3), said(185, 'ok')];
      const result = await adopt(store, open);
      expect(result.counts.lost + result.counts.ambiguous).toBeGreaterThan(0);
      expect(result.adopted).toMatchObject({ entries: 0, created: 0, runs: [] });
      expect(await shown(store)).toEqual(OWN);
      if (result.counts.lost > 0)
        expect(result).toMatchObject({ severity: 'loss', adopted: { leftOut: { which_line: 1 } } });
      await expect(adopt(store, [said(700, 'oi')], { me: 'Loja' })).rejects.toMatchObject({
        code: 'clock_unknown',
      });
    },
  );

  backend.once('seconds of an iPhone, a document by its name, hostile text', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const hostile = 'a\u001bb \ud83d\ude00 {"chat_export":{"witness":{}}} '.repeat(40);
    const chat: PhoneMessage[] = [
      ...CHAT.slice(0, 3),
      {
        at: (T0 + 300) * 1000,
        sender: 'Loja Centro',
        shows: { kind: 'file', file: 'document', caption: '', ownName: 'preços.pdf' },
      },
      said(310, hostile.trim()),
    ];
    const written = form(IPHONE);
    expect(await adopt(store, chat, {}, written)).toMatchObject({ adopted: { created: 2, entries: 2 } });
    expect(await adopt(store, chat, {}, written)).toMatchObject({
      counts: { lost: 0 },
      adopted: { entries: 0 },
    });
    await replayBodies(store, [
      echo('list', 301, {
        type: 'document',
        text: undefined,
        document: { id: '9', filename: 'preços.pdf', mime_type: 'application/pdf' },
      }),
      live('hostile', 311, { text: { body: hostile.trim() } }),
    ]);
    expect((await shown(store)).filter((line) => line.includes('batch_recover'))).toEqual([]);
    expect(await shown(store)).toHaveLength(5);
    expect(await findings(store)).toEqual([]);
  });

  backend.once('undo takes it back, before and after a message has taken a line’s place', async () => {
    const store = await backend.open();
    await replayBodies(store, [...LOG, live('late', 900, { text: { body: 'Até logo!' } })]);
    const before = await rowsOf(store);
    const takeBack = (run: string) =>
      undo(testContext(store), { run, force: false, dryRun: false, recordedOptions: {} });
    const first = await adopt(store);
    expect(await takeBack(first.adopted?.runs[0] ?? '')).toMatchObject({ status: 'completed' });
    expect(await rowsOf(store)).toEqual(before);
    const ids = async () =>
      (
        await store.sql.query(
          `select external_id as id from messages where external_id like 'export:%' order by 1`,
        )
      ).map(({ id }) => String(id));
    const again = await adopt(store);
    const adopted = await ids();
    expect(adopted).toHaveLength(3);
    // Nothing that is in use is discarded.
    const run = again.adopted?.runs[0] ?? '';
    expect(
      await rawDiscard(testContext(store), { entries: [], run, apply: false, recordedOptions: {} }),
    ).toMatchObject({ entries: { chosen: 3, discarded: 0 }, adoptions: [run] });
    await replayBodies(store, LATER.slice(1, 2));
    expect(await ids()).toHaveLength(2);
    expect(await takeBack(run)).toMatchObject({ status: 'completed', left: { found: 0 } });
    expect(await ids()).toEqual([]);
    expect(sorted(await shown(store))).toEqual(
      sorted([...OWN, ...ALL_OWN.slice(4, 5), '900 < text Até logo! own id']),
    );
    expect(await findings(store)).toEqual([]);
  });

  backend.once(
    'messages, report and explain say where it is from, until the message itself comes',
    async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await adopt(store);
      const page = await readMessages(testContext(store), { contact: ANA, limit: 100 });
      expect(page.messages.filter(({ provider }) => provider === 'crm:chat-export')).toHaveLength(3);
      expect(renderChat(page, 'UTC', createLook(false, 100)).join('\n')).toContain(
        'only in an exported chat',
      );
      const { connections } = await report(testContext(store), reportOptions());
      expect(connections[0]?.messages.byCrm).toEqual({ 'crm:chat-export': 3 });
      const [row] = await store.sql.query(`select external_id as id from messages where body = $1`, [WHERE]);
      const id = String(row?.id);
      expect(JSON.stringify(await ask(store, id))).toContain('crm:chat-export:chat.txt:');
      await replayBodies(store, LATER.slice(2));
      expect(JSON.stringify(await ask(store, id))).toContain('overruled');
      expect(JSON.stringify(await ask(store, wamid('where')))).not.toContain('missing');
    },
  );

  test('a CRM is held to it but for a row that may be it, and what the CRM has of it takes its place and gives it back', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await adopt(store);
    const adopted = await rowsOf(store);
    const { cwd } = await chatFile(CHAT);
    const line = (id: string, at: number, direction: string, body: string): string =>
      ['+5511900000000', id, direction, `+${ANA}`, String(T0 + at), 'text', body].join(',');
    const rows = [
      line(wamid('hello'), 0, 'INBOUND', HELLO),
      line(wamid('answer'), 60, 'OUTBOUND', ANSWER),
      line(wamid('ok'), 120, 'INBOUND', 'ok'),
      line(wamid('where'), 425, 'INBOUND', WHERE),
    ];
    const columns = 'connection,external_id,direction,contact,timestamp,type,body';
    await writeFile(
      join(cwd, 'rows.csv'),
      [columns, ...rows.map((row) => row.replace(/(?<=text,)(.*)$/, '"$1"'))].join('\n'),
    );
    const inputs = await resolveInputs(['rows.csv'], { cwd });
    const place = { kind: 'files', inputs, stdin: Readable.from([]) } as const;
    const { result } = await compareAll(store, 'table', place);
    expect(result).toMatchObject({
      counts: { same: 3, lost: 2, not_kept_by_design: 1, only_in_crm: 1 },
      connections: [{ notKept: { chat_export: 1 } }],
      severity: 'loss',
    });
    const taken = await compareAll(store, 'table', place, { adopt: { dryRun: false } });
    expect(taken.result.adopted).toMatchObject({ created: 1 });
    expect(sorted(await shown(store))).toEqual(
      sorted([...OWN, ...WITNESSED.slice(0, 2), ...ALL_OWN.slice(5)]),
    );
    expect(await findings(store)).toEqual([]);
    const [run = ''] = taken.result.adopted?.runs ?? [];
    await undo(testContext(store), { run, force: false, dryRun: false, recordedOptions: {} });
    expect(await rowsOf(store)).toEqual(adopted);
    expect(await findings(store)).toEqual([]);
  });

  backend.once('a row that stays beside its message is found and mended', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await adopt(store);
    await store.sql.execute(`update messages set body = 'other' where body = 'none'`);
    const [kept] = await store.sql.query(`select to_jsonb(m)::text as row from messages m where body = $1`, [
      WHERE,
    ]);
    await replayBodies(store, LATER.slice(2));
    // Another program puts it back.
    await store.sql.execute(
      `insert into messages select * from jsonb_populate_record(null::messages, $1::jsonb)`,
      [String(kept?.row)],
    );
    expect((await findings(store)).length).toBeGreaterThan(0);
    await replayLog(store, { which: 'all' });
    expect(await findings(store)).toEqual([]);
    expect((await shown(store)).filter((line) => line.includes(WHERE))).toEqual(ALL_OWN.slice(5));
  });
});

function form(given: ChatWriting['form'] | undefined): Partial<ChatWriting> {
  return given === undefined ? {} : { form: given };
}
