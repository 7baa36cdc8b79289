import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { judgeSignatures } from '../../src/rules/signatures.js';

const SECRET = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const BODY = Buffer.from('{"object":"whatsapp_business_account","entry":[{"name":"Jo\\u00e3o"}]}');

function signed(body: Uint8Array | null = BODY, header = sign(BODY)) {
  return { path: '$.body', header, body };
}

function sign(body: Uint8Array, secret = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

describe('judgeSignatures', () => {
  it.each([
    ['the right secret', [signed()], 'valid'],
    ['capital letters', [signed(BODY, sign(BODY).toUpperCase().replace('SHA256', 'sha256'))], 'valid'],
    ['another body', [signed(Buffer.from('{}'))], 'bad'],
    ['one changed bit', [signed(Buffer.from(BODY.map((byte, at) => (at === 9 ? byte ^ 1 : byte))))], 'bad'],
    ['the secret of another app', [signed(BODY, sign(BODY, 'another'))], 'bad'],
    ['a body that the log has written anew', [signed(null)], 'uncheckable'],
    ['a signature that was blacked out', [signed(BODY, '[FILTERED]')], 'uncheckable'],
    ['stars in its place', [signed(BODY, 'sha256=********')], 'uncheckable'],
    ['the older header alone', [{ ...signed(BODY, 'sha1=00'), isSha1: true }], 'sha1'],
    ['a SHA-1 in the newer header', [signed(BODY, `sha1=${'0'.repeat(40)}`)], 'bad'],
    ['an empty header', [signed(BODY, '')], 'bad'],
    ['no hexadecimal number', [signed(BODY, 'sha256=zz')], 'bad'],
    ['a number that is too short', [signed(BODY, sign(BODY).slice(0, -1))], 'bad'],
    ['no signature beside a body written anew', [signed(null, 'sha256=zz')], 'bad'],
    ['no signature', [], 'unsigned'],
    ['one valid and one bad', [signed(), signed(Buffer.from('{}'))], 'bad'],
    ['one valid and one that cannot be checked', [signed(), signed(null)], 'uncheckable'],
  ] as const)('%s', (_, signatures, verdict) => {
    expect(judgeSignatures(signatures, [SECRET])).toBe(verdict);
  });

  it('takes the secret of any of several apps', () => {
    expect(judgeSignatures([signed()], ['another', SECRET])).toBe('valid');
    expect(judgeSignatures([signed()], ['another', 'third'])).toBe('bad');
  });

  it('knows a body by which a program changed nothing but the spelling of its letters', () => {
    const sent =
      '{"object":"whatsapp_business_account","t":"Jo\\u00e3o \\ud83d\\udc4d a\\u0040b.c 50\\u0025 \\u003Cb> https:\\/\\/x.y\\/z"}';
    const parsed: unknown = JSON.parse(sent);
    const logged = JSON.stringify(parsed);
    expect(logged).toContain('João 👍 a@b.c 50% <b> https://x.y/z');
    const header = sign(Buffer.from(sent));
    expect(judgeSignatures([signed(Buffer.from(logged), header)], [SECRET])).toBe('valid');
    const changed = Buffer.from(logged.replace('50%', '60%'));
    expect(judgeSignatures([signed(changed, header)], [SECRET])).toBe('bad');
  });
});
