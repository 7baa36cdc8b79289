import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { live, webLive } from '../support/webhooks.js';
import { useMachines, type Installation } from './installation.js';
import { lines } from './logs.js';
import { parseRun } from './run-json.js';

const ANSWERS = JSON.stringify({ flow_token: 'FT', nome: 'Ána Ñ', comentario: 'linha 1\nlinha 2 👩‍👩‍👧' });
const PIX = JSON.stringify({
  currency: 'BRL',
  total_amount: { value: 1250, offset: 100 },
  payment_settings: [
    { type: 'pix_static_code', pix_static_code: { merchant_name: 'Loja', key: '123', key_type: 'CPF' } },
  ],
});

function says(type: string, content: JsonObject): Record<string, JsonValue | undefined> {
  return { type, text: undefined, [type]: content };
}

const LOG = lines([
  live(
    'F1',
    1,
    says('interactive', { type: 'nfm_reply', nfm_reply: { body: 'Sent', response_json: ANSWERS } }),
  ),
  live(
    'C1',
    2,
    says('interactive', {
      type: 'call_permission_reply',
      call_permission_reply: { response: 'accept', expiration_timestamp: 1_758_600_000 },
    }),
  ),
  live('U1', 3, {
    type: 'unsupported',
    text: undefined,
    errors: [{ code: 131_051, title: 'Message type unknown' }],
  }),
  webLive('L1', 4, {
    message: {
      listMessage: { description: 'Escolha', sections: [{ rows: [{ title: 'um' }, { title: 'dois' }] }] },
    },
  }),
  webLive('P1', 5, {
    message: {
      interactiveMessage: {
        nativeFlowMessage: { buttons: [{ name: 'payment_info', buttonParamsJson: PIX }] },
      },
    },
  }),
  webLive('A1', 6, { message: { albumMessage: { expectedImageCount: 2 } } }),
]);

const BODIES = [
  'Nome: Ána Ñ\nComentario: linha 1 linha 2 👩‍👩‍👧',
  'Call permission accepted until 2025-09-23 04:00 UTC',
  'Message type unknown',
  'Escolha\n• um\n• dois',
  'Total: BRL 12.50\nPix (CPF): 123\nRecipient: Loja',
];

function bodies(machine: Installation): Promise<unknown[]> {
  return machine.look(async ({ sql }) =>
    (await sql.query('select body from messages order by timestamp')).map(({ body }) => body),
  );
}

describe('the installed command', () => {
  const machines = useMachines('postgresql');

  test('leaves no bubble empty, and fills those that an earlier version left so', async () => {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', LOG);
    const { code, stdout } = await machine.run(['replay', log, '--register', '--json']);
    expect(code).toBe(0);
    expect(parseRun(stdout).messages.created).toBe(BODIES.length);
    expect(await bodies(machine)).toEqual(BODIES);
    const before = await machine.picture();

    // As rows were written before: a body of real content kept its rank, one that is new had none.
    await machine.look(({ sql }) =>
      sql.query(`update messages set
        body = case when body like 'Nome%' then 'Sent' when body like 'Escolha%' then 'Escolha' end,
        evidence = case when body like 'Nome%' or body like 'Escolha%' then evidence else evidence & ~3840 end`),
    );
    expect((await machine.run(['verify', '--check', 'raw_log'])).code).toBe(3);
    await machine.run(['reconcile', '--apply']);
    expect((await machine.run(['verify', '--check', 'raw_log'])).code).toBe(0);
    expect(await bodies(machine)).toEqual(BODIES);
    expect((await machine.picture()).messages).toEqual(before.messages);
  });
});
