import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import {
  addConnection,
  checkConnections,
  createContext,
  fetchMedia,
  listRuns,
  mediaStatus,
  replay,
  requestHistory,
  UserError,
  type GraphOptions,
} from '../../src/index.js';
import { temporaryDirectory } from '../cli/run-cli.js';
import { describeOnBackends } from '../support/databases.js';
import { APP_SECRET, healthyAccount, TOKEN } from '../support/fake-graph/account.js';
import { startFakeGraph } from '../support/fake-graph/server.js';
import { dirname } from 'node:path';
import { ANA, live } from '../support/webhooks.js';

const NUMBER = '106540352242922';
const PHONE = '+5511900000000';

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) return `not a UserError: ${String(error)}`;
  expect(`${error.message}${JSON.stringify(error.remedy)}${error.stack ?? ''}`).not.toContain(TOKEN.slice(4));
  return error.code;
}

describeOnBackends('the Graph API in the library', (backend) => {
  it('checks, requests a history once, and fetches media', async () => {
    const fake = await startFakeGraph(healthyAccount());
    const graph: GraphOptions = { url: fake.url, token: TOKEN, appSecrets: [APP_SECRET] };
    const config = await backend.config();
    await using ctx = await (config.kind === 'postgresql'
      ? createContext({ databaseUrl: config.url })
      : createContext({ home: dirname(config.directory) }));
    await addConnection(ctx, {
      name: 'main',
      kind: 'coexistence',
      phone: PHONE,
      phoneNumberId: NUMBER,
      wabaId: '102290129340398',
    });
    expect(await checkConnections(ctx, { graph })).toMatchObject({ status: 'ok' });
    expect(await codeOf(fetchMedia(ctx, { to: 'x', graph: { url: 'http://graph.example.com' } }))).toBe(
      'graph_url_invalid',
    );
    expect(await codeOf(checkConnections(ctx, { graph: { token: `${TOKEN} x` } }))).toBe('token_invalid');
    expect(await codeOf(checkConnections(ctx, { graph: { proxy: 'ftp://proxy' } }))).toBe('proxy_invalid');

    const onboardedAt = Date.now() - 3_600_000;
    const planned = await requestHistory(ctx, { connection: 'main', onboardedAt, graph });
    expect(planned.status).toBe('planned');
    const wrong = requestHistory(ctx, { connection: 'main', onboardedAt, confirm: '+5511911111111', graph });
    expect(await codeOf(wrong)).toBe('confirmation_wrong');
    expect(fake.account.granted.size).toBe(0);
    const requested = await requestHistory(ctx, { connection: 'main', onboardedAt, confirm: PHONE, graph });
    expect(requested.status).toBe('requested');
    expect(fake.account.granted.size).toBe(2);
    expect(
      (await requestHistory(ctx, { connection: 'main', onboardedAt, confirm: PHONE, graph })).status,
    ).toBe('refused');

    const bytes = randomBytes(2000);
    fake.account.media.set('7001', { bytes, mimeType: 'image/png' });
    const hash = createHash('sha256').update(bytes);
    const image = { id: '7001', mime_type: 'image/png', sha256: hash.copy().digest('base64') };
    const parts = { timestamp: String(Math.floor(Date.now() / 1000)), type: 'image', text: undefined, image };
    const body = live('P', 0, parts, { id: NUMBER, number: PHONE.slice(1) });
    await replay(ctx, { input: Readable.from([`${JSON.stringify(body)}\n`]) });
    expect(await mediaStatus(ctx, { contact: ANA })).toMatchObject({
      connections: [{ states: [{ state: 'owed', files: 1 }] }],
    });
    const to = join(await temporaryDirectory(), 'media');
    const fetched = await fetchMedia(ctx, { to, contact: ANA, graph });
    expect(fetched).toMatchObject({ status: 'completed', connections: [{ fetched: 1 }] });
    const name = hash.digest('hex');
    expect((await readFile(join(to, name.slice(0, 2), `${name}.png`))).equals(bytes)).toBe(true);
    expect((await listRuns(ctx, { command: 'media fetch' })).runs).toMatchObject([{ id: fetched.runId }]);
  });
});
