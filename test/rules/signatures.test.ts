import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isRefused, judgeSignature, refusedBodies } from '../../src/rules/signatures.js';

const SECRET = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const BODY = Buffer.from('{"object":"whatsapp_business_account","entry":[{"name":"Jo\\u00e3o"}]}');

function signed(body: Uint8Array | null = BODY, header = sign(BODY)) {
  return { path: '$.body', header, body };
}

/** The body with something behind it. */
function ended(end: string): Buffer {
  return Buffer.concat([BODY, Buffer.from(end)]);
}

function sign(body: Uint8Array, secret = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

describe('judgeSignature', () => {
  it.each([
    ['the right secret', signed(), 'valid'],
    ['capital letters', signed(BODY, sign(BODY).toUpperCase().replace('SHA256', 'sha256')), 'valid'],
    ['another body', signed(Buffer.from('{}')), 'bad'],
    ['one changed bit', signed(Buffer.from(BODY.map((byte, at) => (at === 9 ? byte ^ 1 : byte)))), 'bad'],
    ['a line end that was added', signed(ended('\n')), 'valid'],
    ['a line end of Windows that was added', signed(ended('\r\n')), 'valid'],
    ['a line end that was signed', signed(ended('\n'), sign(ended('\n'))), 'valid'],
    ['a line end in the place of two', signed(ended('\n'), sign(ended('\n\n'))), 'bad'],
    ['two line ends that were added', signed(ended('\n\n')), 'bad'],
    ['a space that was added', signed(ended(' ')), 'bad'],
    ['a line end behind another body', signed(Buffer.from('{}\n')), 'bad'],
    ['the secret of another app', signed(BODY, sign(BODY, 'another')), 'bad'],
    ['a body that the log has written anew', signed(null), 'uncheckable'],
    ['a signature that was blacked out', signed(BODY, '[FILTERED]'), 'uncheckable'],
    ['stars in its place', signed(BODY, 'sha256=********'), 'uncheckable'],
    ['the older header alone', { ...signed(BODY, 'sha1=00'), isSha1: true }, 'sha1'],
    ['a SHA-1 in the newer header', signed(BODY, `sha1=${'0'.repeat(40)}`), 'bad'],
    ['an empty header', signed(BODY, ''), 'bad'],
    ['no hexadecimal number', signed(BODY, 'sha256=zz'), 'bad'],
    ['a number that is too short', signed(BODY, sign(BODY).slice(0, -1)), 'bad'],
    ['no signature beside a body written anew', signed(null, 'sha256=zz'), 'bad'],
  ] as const)('%s', (_, one, verdict) => {
    expect(judgeSignature(one, [SECRET])).toBe(verdict);
  });

  it('takes the secret of any of several apps', () => {
    expect(judgeSignature(signed(), ['another', SECRET])).toBe('valid');
    expect(judgeSignature(signed(), ['another', 'third'])).toBe('bad');
  });

  it('knows a body by which a program changed nothing but the spelling of its letters', () => {
    const sent =
      '{"object":"whatsapp_business_account","t":"Jo\\u00e3o \\ud83d\\udc4d a\\u0040b.c 50\\u0025 \\u003Cb> https:\\/\\/x.y\\/z"}';
    const parsed: unknown = JSON.parse(sent);
    const logged = JSON.stringify(parsed);
    expect(logged).toContain('João 👍 a@b.c 50% <b> https://x.y/z');
    const header = sign(Buffer.from(sent));
    expect(judgeSignature(signed(Buffer.from(logged), header), [SECRET])).toBe('valid');
    const changed = Buffer.from(logged.replace('50%', '60%'));
    expect(judgeSignature(signed(changed, header), [SECRET])).toBe('bad');
  });
});

describe('refusedBodies', () => {
  it('are those that are bad, and those that were, until a secret fits', () => {
    const verdicts = new Map([
      ['$.a', 'valid'],
      ['$.b', 'bad'],
      ['$.c', 'uncheckable'],
    ] as const);
    const bodies = ['$.a', '$.b', '$.c'];
    expect(refusedBodies(bodies, [], verdicts)).toEqual(['$.b']);
    expect(refusedBodies(bodies, ['$.a', '$.c'], verdicts)).toEqual(['$.b', '$.c']);
    expect(refusedBodies(bodies, ['$.a', '$.gone'], null)).toEqual(['$.a', '$.gone']);
    // How older versions recorded it.
    expect(refusedBodies(bodies, ['$'], null)).toEqual(bodies);
    expect(refusedBodies(bodies, ['$'], verdicts)).toEqual(['$.b', '$.c']);
    expect(refusedBodies([], ['$'], verdicts)).toEqual(['$']);
  });

  it('leave other bodies alone', () => {
    expect(isRefused({ signedAt: '$.a' }, ['$.b', '$.a'])).toBe(true);
    expect(isRefused({ signedAt: '$.ab' }, ['$.a'])).toBe(false);
    expect(isRefused({}, ['$.a'])).toBe(false);
    expect(isRefused({}, ['$'])).toBe(true);
  });
});
