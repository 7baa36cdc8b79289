import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { verify } from '../../src/commands/verify/verify.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { transcript } from '../support/shown.js';
import { live } from '../support/webhooks.js';

const SECRET = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const HEADER = 'X-Hub-Signature-256';

const FORGED = live('FORGED', 0);
const TEXT = JSON.stringify(FORGED);
const LIST = `[${TEXT}]`;

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function signedBy(text: string, secret: string, kept: object): object {
  return {
    headers: { [HEADER]: `sha256=${createHmac('sha256', secret).update(text).digest('hex')}` },
    ...kept,
  };
}

function forged(kept: object): object {
  return signedBy('', 'guessed', kept);
}

/** The same with numbers in place of a time's digits. */
function retyped(body: object): object {
  return JSON.parse(JSON.stringify(body).replace(/"timestamp":"(\d+)"/g, '"timestamp":$1')) as object;
}

/** A message that says something else. */
function other(key: string, text: string): object {
  return live(key, 0, { text: { body: text } });
}

const FORGERIES: Record<string, object> = {
  'in a list': forged({ body: LIST }),
  'in a list with something else': forged({ body: `[${TEXT},{}]` }),
  'in a list in an object': forged({ body: `{"x":[${TEXT},{}]}` }),
  'in an object': forged({ body: `{"x":${TEXT}}` }),
  'in a list in base64': forged({ body: base64(LIST), isBase64Encoded: true }),
  'in a text in a text': forged({ body: JSON.stringify({ x: TEXT }) }),
  'in a list, beside what was made of it': forged({ rawBody: LIST, body: [FORGED] }),
  'behind what was made of it': forged({ body: [retyped(FORGED)], rawBody: LIST }),
  'beside a copy with other types': forged({ rawBody: TEXT, body: retyped(FORGED) }),
  'beside a copy of other texts': forged({ rawBody: TEXT, body: other('FORGED', 'other') }),
  'beside another one that was parsed': forged({ rawBody: TEXT, body: live('B', 10) }),
  'in a text that breaks off': forged({ rawBody: TEXT.slice(0, -1), body: FORGED }),
  'without the envelope': forged({ body: JSON.stringify(FORGED).replace(/^.*"value":|\}\]\}\]\}$/g, '') }),
  'with headers of its own making': forged({
    body: JSON.stringify({ headers: { [HEADER]: '[FILTERED]' }, body: FORGED }),
  }),
};

describeOnServer('the signature of a text', (backend) => {
  it.each(Object.entries(FORGERIES))('keeps out a forged body %s', async (_, line) => {
    const store = await backend.open();
    const result = await replayBodies(store, [line], { appSecrets: [SECRET] });
    expect(await transcript(store)).toEqual([]);
    expect(result.signatures).toMatchObject({ valid: 0, uncheckable: 0, unsigned: 0 });
    const { checks } = await verify(testContext(store, { appSecrets: [SECRET] }), {
      checks: new Set(['signatures']),
      enforce: false,
    });
    expect(checks).toMatchObject([{ status: 'findings', severity: 'loss' }]);
    await replayLog(store, { which: 'all' });
    expect(await transcript(store)).toEqual([]);
  });

  it.each(Object.entries(FORGERIES))('finds what was applied without a secret %s', async (_, line) => {
    const store = await backend.open();
    await replayBodies(store, [line]);
    const { severity } = await verify(testContext(store, { appSecrets: [SECRET] }), {
      checks: new Set(['signatures']),
      enforce: false,
    });
    expect(severity).toBe('loss');
  });

  it.each([
    ['a list', LIST, { body: LIST }],
    ['an object', `{"x":${TEXT}}`, { body: `{"x":${TEXT}}` }],
    ['a list of two', `[${TEXT},{}]`, { body: `[${TEXT},{}]` }],
    ['a list in base64', LIST, { body: base64(LIST), isBase64Encoded: true }],
    [
      'the body in an object that a program wrote',
      TEXT,
      { event: JSON.stringify({ inner: { body: TEXT } }) },
    ],
  ])('verifies %s', async (_, text, kept) => {
    const store = await backend.open();
    const result = await replayBodies(store, [signedBy(text, SECRET, kept)], { appSecrets: [SECRET] });
    expect(result.signatures).toEqual({ valid: 1, bad: 0, uncheckable: 0, sha1: 0, unsigned: 0 });
    expect(await transcript(store)).toEqual(['> FORGED']);
  });

  it('is the word of the text alone: what was made of it does not contradict it', async () => {
    const store = await backend.open();
    const genuine = JSON.stringify(other('A', 'genuine'));
    const log = [
      signedBy(genuine, SECRET, { rawBody: genuine, body: other('A', 'changed') }),
      signedBy(JSON.stringify(live('B', 10)), SECRET, {
        body: retyped(live('B', 10)),
        rawBody: JSON.stringify(live('B', 10)),
      }),
    ];
    const result = await replayBodies(store, log, { appSecrets: [SECRET] });
    expect(result.signatures).toEqual({ valid: 2, bad: 0, uncheckable: 0, sha1: 0, unsigned: 0 });
    expect(await transcript(store)).toEqual(['> genuine', '> B']);
  });

  it('says nothing of other bodies that were parsed, nor of a text that a logger cut', async () => {
    const store = await backend.open();
    const log = [
      signedBy(TEXT, SECRET, { rawBody: TEXT, seen: live('B', 10) }),
      forged({ rawBody: `${JSON.stringify(live('C', 20)).slice(0, 200)}...`, body: live('C', 20) }),
      forged({ body: live('D', 30) }),
    ];
    const result = await replayBodies(store, log, { appSecrets: [SECRET] });
    expect(result.signatures).toEqual({ valid: 1, bad: 0, uncheckable: 3, sha1: 0, unsigned: 0 });
    expect(await transcript(store)).toEqual(['> FORGED', '> B', '> C', '> D']);
  });

  it('is that of each request, where a wrapper keeps several', async () => {
    const store = await backend.open();
    const genuine = JSON.stringify(live('A', 0));
    const log = [
      {
        ...signedBy(genuine, SECRET, { body: genuine }),
        retries: [forged({ body: LIST })],
      },
      { headers: {}, body: JSON.stringify({ ...signedBy(genuine, SECRET, { body: genuine }) }) },
      // A relay signs with a secret of its own.
      forged({
        body: JSON.stringify(
          signedBy(JSON.stringify(live('B', 10)), SECRET, { body: JSON.stringify(live('B', 10)) }),
        ),
      }),
    ];
    const result = await replayBodies(store, log, { appSecrets: [SECRET] });
    expect(result.signatures).toEqual({ valid: 3, bad: 1, uncheckable: 0, sha1: 0, unsigned: 0 });
    expect(await transcript(store)).toEqual(['> A', '> B']);
  });
});
