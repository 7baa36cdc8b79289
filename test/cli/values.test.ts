import { describe, expect, test } from 'vitest';
import { parseDuration, parseSize } from '../../src/cli/flags/amounts.js';
import { futureMoment } from '../../src/cli/flags/kinds.js';
import { parseMoment } from '../../src/cli/flags/moment.js';

const NOW = Date.parse('2026-11-03T14:30:00Z');

/** What `text` means, as an instant in UTC. */
function read(text: string, zone = 'UTC', now = NOW): string | undefined {
  const moment = parseMoment(text, now, zone);
  return moment === undefined ? undefined : new Date(moment).toISOString();
}

describe('a point in time on the command line', () => {
  test.each([
    ['2026-11-01T10:00:00Z', '2026-11-01T10:00:00.000Z'],
    ['2026-11-01T10:00:00.25-03:00', '2026-11-01T13:00:00.250Z'],
    ['2026-11-01t10:00z', '2026-11-01T10:00:00.000Z'],
    ['2d', '2026-11-01T14:30:00.000Z'],
    ['36h', '2026-11-02T02:30:00.000Z'],
    ['3w', '2026-10-13T14:30:00.000Z'],
    ['now', '2026-11-03T14:30:00.000Z'],
    ['today', '2026-11-03T00:00:00.000Z'],
    ['yesterday', '2026-11-02T00:00:00.000Z'],
  ])('%s is %s', (text, instant) => {
    expect(read(text)).toBe(instant);
  });

  test('a date is midnight where the user is, not in Greenwich', () => {
    expect(read('2026-11-01', 'America/Sao_Paulo')).toBe('2026-11-01T03:00:00.000Z');
    expect(read('2026-11-01', 'Asia/Kolkata')).toBe('2026-10-31T18:30:00.000Z');
    expect(read('2026-11-01T09:00', 'Asia/Tokyo')).toBe('2026-11-01T00:00:00.000Z');
  });

  test('today is the day that it is where the user is', () => {
    const lateEvening = Date.parse('2026-11-03T01:00:00Z');
    expect(read('today', 'America/Sao_Paulo', lateEvening)).toBe('2026-11-02T03:00:00.000Z');
    expect(read('yesterday', 'America/Sao_Paulo', lateEvening)).toBe('2026-11-01T03:00:00.000Z');
  });

  test('a midnight that clocks leapt over is the moment of the leap, where the day began', () => {
    expect(read('2018-11-04', 'America/Sao_Paulo')).toBe('2018-11-04T03:00:00.000Z');
  });

  test('an hour that came twice is the first of the two', () => {
    expect(read('2026-10-25T02:30', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
  });

  test('yesterday is a calendar day, also when it had 25 hours', () => {
    const now = Date.parse('2026-10-26T12:00:00Z');
    expect(read('yesterday', 'Europe/Berlin', now)).toBe('2026-10-24T22:00:00.000Z');
    expect(read('today', 'Europe/Berlin', now)).toBe('2026-10-25T23:00:00.000Z');
  });

  test.each([
    '2026-02-30',
    '2026-13-05',
    '2026-11-01T25:00:00Z',
    '2026-11-01T10:00:00+99:00',
    '01/11/2026',
    'last tuesday',
    '2',
    '-2d',
    '',
    // No row can have these, and a database refuses them with words of its own.
    '0000-12-31',
    '9999-12-31T00:00:00Z',
    '9999-12-30T23:59:59-12:00',
    '200000w',
    '99999999999w',
  ])('%s is none', (text) => {
    expect(read(text)).toBeUndefined();
  });
});

test.each(['9999-12-31', '500000w', '99999999999w'])('%s is no time to come that a row can have', (text) => {
  const flag = futureMoment('when it ends');
  expect(() => flag.value(text, { now: NOW, timeZone: 'UTC', place: '--until' })).toThrow(
    'is not a time to come',
  );
});

describe('a duration on the command line', () => {
  test.each([
    ['5m', 300_000],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5h', 5_400_000],
    ['0', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['5', '5 m', 'm', '5x', '5m!', '', '-5m', '99999999999999999w'])('%s is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('a size on the command line', () => {
  test.each([
    ['16MB', 16_777_216],
    ['512k', 524_288],
    ['1 GiB', 1_073_741_824],
    ['1000', 1000],
    ['1.5m', 1_572_864],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['0', '', 'MB', '16XB', '-1MB', '1e9'])('%s is none', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});
