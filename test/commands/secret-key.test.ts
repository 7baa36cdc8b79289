import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SecretKey } from '../../src/commands/devices/secret-key.js';
import { checkServiceUrl } from '../../src/cli/device-options.js';
import {
  aboutDeviceKey,
  aboutDeviceLogin,
  aboutUrl,
  isDamaged,
  linkedDevice,
} from '../../src/commands/devices/sealed-things.js';
import { isSamePhone } from '../../src/commands/devices/own-device.js';

const KEY = SecretKey.parse(randomBytes(32).toString('base64'), 'KEY');
const THING = linkedDevice('main');
const ABOUT = ['connection', 'session', 'id'];

describe('a secret key', () => {
  it('opens what it has sealed, and gives other bytes each time', () => {
    const [one, two] = [KEY.seal('çã 🔑', ABOUT), KEY.seal('çã 🔑', ABOUT)];
    expect(KEY.open(one, ABOUT, THING)).toBe('çã 🔑');
    expect(KEY.open(two, ABOUT, THING)).toBe('çã 🔑');
    expect(Buffer.from(one).equals(two)).toBe(false);
  });

  it('does not open what belongs elsewhere, what was altered, or what another key has sealed', () => {
    const sealed = KEY.seal('secret', ABOUT);
    const altered = Uint8Array.from(sealed, (byte, index) => (index === sealed.length - 1 ? byte ^ 1 : byte));
    const other = SecretKey.parse(randomBytes(32).toString('base64'), 'OTHER');
    expect(() => KEY.open(sealed, ['connection', 'session', 'other'], THING)).toThrow(
      'the stored data is damaged',
    );
    expect(() => KEY.open(altered, ABOUT, THING)).toThrow('the stored data is damaged');
    expect(() => KEY.open(new Uint8Array(), ABOUT, THING)).toThrow('the stored data is damaged');
    expect(() => other.open(sealed, ABOUT, THING)).toThrow('OTHER: it was encrypted with another key');
  });

  it.each(['', 'x', randomBytes(31).toString('base64'), randomBytes(33).toString('base64'), '*'.repeat(44)])(
    'is no %j, and the error does not repeat it',
    (text) => {
      expect(() => SecretKey.parse(text, 'KEY')).toThrow(/^KEY is not a key of 32 bytes in base64\.$/);
    },
  );

  it('may end with a line feed and lack its padding', () => {
    const text = randomBytes(32).toString('base64');
    const sealed = SecretKey.parse(text, 'KEY').seal('secret', ABOUT);
    expect(SecretKey.parse(`${text.replace('=', '')}\n`, 'KEY').open(sealed, ABOUT, THING)).toBe('secret');
  });
});

describe('a stored row', () => {
  const own = SecretKey.parse(randomBytes(32).toString('base64'), 'OWN');
  const device = { kind: 'device', connectionId: 'c1', name: 'main' } as const;
  const plain = { ...device, sealed: KEY.seal('login', aboutDeviceLogin('c1')), underIt: null };
  const moved = {
    ...device,
    sealed: KEY.sealKey(own, aboutDeviceKey('c1')),
    underIt: own.seal('login', aboutDeviceLogin('c1')),
  };
  const url = {
    ...({ kind: 'comparison', connectionId: null, name: 'crm' } as const),
    ...{ sealed: KEY.seal('postgresql://x', aboutUrl('crm')), underIt: null },
  };

  it('is sound as it was written', () => {
    expect([plain, moved, url].map((row) => isDamaged(row, KEY))).toEqual([false, false, false]);
  });

  it('is damaged under another name, and if the login under its own key is', () => {
    expect(isDamaged({ ...plain, connectionId: 'c2' }, KEY)).toBe(true);
    expect(isDamaged({ ...moved, connectionId: 'c2' }, KEY)).toBe(true);
    expect(isDamaged({ ...moved, underIt: own.seal('login', aboutDeviceLogin('c2')) }, KEY)).toBe(true);
    expect(isDamaged({ ...url, name: 'other' }, KEY)).toBe(true);
  });
});

describe('the address of WhatsApp', () => {
  it.each(['wss://web.whatsapp.com/ws/chat', 'ws://127.0.0.1:8/ws', 'ws://localhost:8', 'ws://[::1]:8'])(
    'may be %s',
    (url) => {
      expect(checkServiceUrl(url, 'URL')).toBe(url);
    },
  );

  it.each([
    'ws://web.whatsapp.com/ws/chat',
    'ws://127.0.0.1.example.com/',
    'ws://10.0.0.1/',
    'https://web.whatsapp.com',
    'nonsense',
  ])('is never %s', (url) => {
    expect(() => checkServiceUrl(url, 'URL')).toThrow(/^URL/);
  });
});

describe('the number that pairs', () => {
  it.each([
    ['5511987654321', '+5511987654321', true],
    ['551187654321', '+5511987654321', true],
    ['5215512345678', '+525512345678', true],
    ['541112345678', '+5491112345678', true],
    ['5511987654322', '+5511987654321', false],
    ['', '+5511987654321', false],
  ])('I1: %s is the phone of %s: %s', (paired, own, same) => {
    expect(isSamePhone(paired, own)).toBe(same);
  });
});
