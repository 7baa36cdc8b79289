import { readLockHolders } from '../../store/locks/holders.js';
import { readDirectoryLock } from '../../store/locks/directory-lock.js';
import type { Store } from '../../store/store.js';
import type { DoctorOptions } from './options.js';
import type { DoctorCheck } from './result.js';
import { listed } from './words.js';

/** Who has the embedded database open; looked at before it is opened. */
export async function checkEmbeddedLock(
  directory: string,
  { host, pid }: DoctorOptions,
): Promise<{ check: DoctorCheck; isFree: boolean }> {
  const path = `${directory}.lock`;
  const lock = await readDirectoryLock(path, { command: 'doctor', host, pid });
  const name = 'lock' as const;
  switch (lock.state) {
    case 'free':
      return { check: { name, status: 'ok', message: 'free' }, isFree: true };
    case 'dead':
      return {
        check: {
          name,
          status: 'ok',
          message: `left behind by ${lock.command} (process ${lock.pid}), which has ended; the next command takes it over`,
        },
        isFree: true,
      };
    case 'alive':
      if (lock.command === 'doctor' && lock.pid === pid)
        return { check: { name, status: 'ok', message: 'free' }, isFree: true };
      return {
        check: {
          name,
          status: 'warn',
          message: `held by ${lock.command} (process ${lock.pid}, since ${lock.startedAt}), so the tables cannot be looked at`,
          remedy: 'Ask again when it has ended; other commands wait for it with --lock-wait 5m.',
        },
        isFree: false,
      };
    case 'elsewhere':
      return {
        check: {
          name,
          status: 'warn',
          message: `held by ${lock.command} (process ${lock.pid} on ${lock.host}, since ${lock.startedAt}): another machine or container`,
          remedy: `If it does not run any more, remove ${path} by hand.`,
        },
        isFree: false,
      };
    case 'unreadable':
      return {
        check: {
          name,
          status: 'fail',
          message: `the lock file cannot be read, so its owner is unknown`,
          remedy: `If no other process of wa-reconcile uses it, remove ${path} by hand.`,
        },
        isFree: false,
      };
  }
}

/** Which runs hold the lock on a server. That one does is no fault; the doctor itself is not one of them. */
export async function checkServerLock(
  store: Store,
  { host, pid }: Pick<DoctorOptions, 'host' | 'pid'>,
): Promise<DoctorCheck> {
  const holders = (await readLockHolders(store.sql, store.backend)) ?? [];
  const others = holders.filter((holder) => holder !== `wa-reconcile doctor ${host}:${pid}`);
  if (others.length === 0) return { name: 'lock', status: 'ok', message: 'free' };
  const names = others.map((holder) => holder?.replace(/^wa-reconcile /, '') ?? 'an unknown program');
  return { name: 'lock', status: 'ok', message: `held by ${listed(names)}, at work now` };
}
