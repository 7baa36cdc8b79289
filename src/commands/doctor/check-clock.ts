import { readServerClock } from '../../store/server.js';
import type { Sql } from '../../store/sql.js';
import type { DoctorCheck } from './result.js';

/** Before this tool was written no clock was right; far in the future, neither. */
const EARLIEST = Date.UTC(2025, 0, 1);
const LATEST = Date.UTC(2100, 0, 1);
const SECOND = 1000;
/** Beyond this, times that the two write look as if they came in another order. */
const NOTICEABLE = 5 * SECOND;
/** Beyond this, windows of tickets and ages of alerts are wrong. */
const HARMFUL = 300 * SECOND;

const REMEDY = 'Let it be set from the network: timedatectl set-ntp true';

/** Whether this machine's clock can be right at all. `now` in ms since 1970. */
export function checkLocalClock(now: number): DoctorCheck {
  const message = `this machine says ${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const sane = now >= EARLIEST && now < LATEST;
  return { name: 'clock', status: sane ? 'ok' : 'fail', message, ...(sane ? {} : { remedy: REMEDY }) };
}

/** How far this machine's clock is from the server's; the way there and back is taken for equally long. */
export async function checkServerClock(sql: Sql, clock: () => number): Promise<DoctorCheck> {
  const local = checkLocalClock(clock());
  if (local.status === 'fail') return local;
  // The first statement may have to open a connection.
  await readServerClock(sql);
  const before = clock();
  const server = await readServerClock(sql);
  const after = clock();
  const skew = (before + after) / 2 - server;
  // What took longer than the difference says nothing about it.
  const off = Math.max(0, Math.abs(skew) - (after - before) / 2);
  if (off < NOTICEABLE) {
    return { ...local, message: `${local.message}, as the server does` };
  }
  const words = `${Math.round(off / SECOND)} s ${skew > 0 ? 'ahead of' : 'behind'} the database server`;
  return {
    name: 'clock',
    status: off < HARMFUL ? 'warn' : 'fail',
    message: `${local.message}, ${words}`,
    remedy: `Whichever of the two is wrong: ${REMEDY.charAt(0).toLowerCase()}${REMEDY.slice(1)}`,
  };
}
