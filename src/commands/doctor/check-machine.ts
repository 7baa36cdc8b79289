import { stat } from 'node:fs/promises';
import { platform } from 'node:os';
import { readServerClock } from '../../store/server.js';
import type { Sql } from '../../store/sql.js';
import { amount } from '../../model/amount.js';
import { minuteOf } from '../../model/time.js';
import { fail, ok, warn, type DoctorOptions, type Found } from './types.js';

/** The versions that the tests run on, and when security fixes end for each (nodejs.org/en/about/previous-releases). */
const SUPPORTED: readonly { major: number; minor: number; until: string }[] = [
  { major: 20, minor: 19, until: '2026-04-30' },
  { major: 22, minor: 12, until: '2027-04-30' },
  { major: 24, minor: 0, until: '2028-04-30' },
];
const NEWEST = 24;

/** `now` in ms since 1970. */
export function checkNode(version: string, now: number): Found {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const known = SUPPORTED.find((supported) => supported.major === major);
  if (major > NEWEST) return ok(`Node ${version}`);
  if (known === undefined || minor < known.minor) {
    return fail(`Node ${version} is not supported`, `Install Node ${NEWEST}, or at least 20.19 or 22.12.`);
  }
  if (now >= Date.parse(known.until)) {
    return warn(
      `Node ${version} works, but has had no security fixes since ${known.until}`,
      `Install Node ${NEWEST}.`,
    );
  }
  return ok(`Node ${version}`);
}

/** Whether settings are understood and secrets are protected. */
export async function checkConfiguration(options: DoctorOptions): Promise<Found> {
  const { settings, unknownSettings, secretFiles, database } = options;
  if (database instanceof Error) {
    return fail(database.message, database.remedy);
  }
  const [unknown] = unknownSettings;
  if (unknown !== undefined) {
    const more = unknownSettings.length > 1 ? ` (and ${unknownSettings.length - 1} more)` : '';
    return warn(
      `${unknown.place} is not a setting and is ignored${more}`,
      unknown.similar === undefined ? 'Remove it.' : `Did you mean ${unknown.similar}?`,
    );
  }
  const open = await findReadableByAll(secretFiles);
  if (open !== undefined) {
    return warn(
      `${open} may hold a password, and every user of this machine can read it`,
      `chmod 600 '${open}'`,
    );
  }
  return ok(amount(settings.length, 'setting'));
}

const READABLE_BY_OTHERS = 0o004;

async function findReadableByAll(paths: readonly string[]): Promise<string | undefined> {
  // Windows has no such bits, and shows every file as open.
  if (platform() === 'win32') return undefined;
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true && (found.mode & READABLE_BY_OTHERS) !== 0) return path;
  }
  return undefined;
}

/** A clock before this tool was written is wrong; so is one far in the future. */
const EARLIEST = Date.UTC(2025, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);
const SECOND = 1000;
/** Beyond this, times written by the two appear out of order. */
const NOTICEABLE = 5 * SECOND;
/** Beyond this, windows of tickets and ages of alerts are wrong. */
const HARMFUL = 300 * SECOND;

const REMEDY = 'Set the clock from the network: timedatectl set-ntp true';

/** Whether this machine's clock is plausible. `now` in ms since 1970. */
export function checkLocalClock(now: number): Found {
  const message = `this machine says ${minuteOf(now)}`;
  return now >= EARLIEST && now < LATEST ? ok(message) : fail(message, REMEDY);
}

/** How far this machine's clock is from the server's, assuming equal travel time both ways. */
export async function checkServerClock(sql: Sql, clock: () => number): Promise<Found> {
  const local = checkLocalClock(clock());
  if (local.status === 'fail') return local;
  // The first statement may have to open a connection.
  await readServerClock(sql);
  const before = clock();
  const server = await readServerClock(sql);
  const after = clock();
  const skew = (before + after) / 2 - server;
  // The round trip limits the precision of the difference.
  const off = Math.max(0, Math.abs(skew) - (after - before) / 2);
  if (off < NOTICEABLE) return ok(`${local.message}, as does the server`);
  const words = `${Math.round(off / SECOND)} s ${skew > 0 ? 'ahead of' : 'behind'} the database server`;
  return (off < HARMFUL ? warn : fail)(
    `${local.message}, ${words}`,
    `Where the clock is wrong: ${REMEDY.charAt(0).toLowerCase()}${REMEDY.slice(1)}`,
  );
}
