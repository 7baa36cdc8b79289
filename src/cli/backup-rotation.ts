import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Names of backups of one kind in a directory, which sort by their time: those that one rotation counts. */
export interface BackupNames {
  /** Of a backup written at that time. */
  nameAt: (time: number, isEncrypted: boolean) => string;
  /** The time in a name of the kind, as it sorts; undefined for any other name. */
  stampIn: (name: string) => string | undefined;
}

/** `wa-reconcile-20261130T031500000Z.tar` */
export const FULL_BACKUPS: BackupNames = namesOf('wa-reconcile-', 'wa-reconcile-');

/**
 * `wa-reconcile-part-shop-5f2c9a01be77-20261130T031500000Z.tar`: of one connection or organization. Its digest tells one part from another;
 * the name before it is for people, and may change.
 */
export function partBackups({ identity, name }: { identity: string; name: string }): BackupNames {
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 12);
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-|-$/g, '');
  return namesOf(
    `wa-reconcile-part-${slug === '' ? '' : `${slug}-`}${digest}-`,
    `wa-reconcile-part-(?:[a-z0-9-]{1,40}-)?${digest}-`,
  );
}

/** `pattern`: what may stand before the time. */
function namesOf(beginning: string, pattern: string): BackupNames {
  const own = new RegExp(`^${pattern}(\\d{8}T\\d{9}Z)\\.tar(?:\\.age)?$`);
  return {
    nameAt: (time, isEncrypted) => {
      const stamp = new Date(time).toISOString().replace(/[-:.]/g, '');
      return `${beginning}${stamp}.tar${isEncrypted ? '.age' : ''}`;
    },
    stampIn: (name) => own.exec(name)?.[1],
  };
}

export interface Rotated {
  /** Older backups that gave way. */
  removed: string[];
  /** Backups of the kind with a later time than the new one: a clock was set back, or another machine's is ahead. */
  later: string[];
}

/**
 * Makes room for a new backup, `written`: of the others of its kind, the newest `keep - 1` stay, by the times in their names. The new one
 * stays whatever its own says: nobody else has what it holds. Without `keep` nothing goes.
 */
export async function rotate(
  directory: string,
  written: string,
  { names, keep }: { names: BackupNames; keep: number | undefined },
): Promise<Rotated> {
  const others = (await readdir(directory))
    .flatMap((name) => {
      const stamp = name === written ? undefined : names.stampIn(name);
      return stamp === undefined ? [] : [{ stamp, name, file: join(directory, name) }];
    })
    .sort((a, b) => compareText(a.stamp, b.stamp) || compareText(a.name, b.name));
  const surplus = keep === undefined ? [] : others.slice(0, Math.max(0, others.length - (keep - 1)));
  // Another run's rotation may have been quicker.
  for (const { file } of surplus) await rm(file, { force: true });
  const own = names.stampIn(written) ?? '';
  return {
    removed: surplus.map(({ file }) => file),
    later: others.filter(({ stamp }) => stamp > own).map(({ file }) => file),
  };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const TEMPORARY = /^\.wa-reconcile-[0-9a-f-]{36}\.tmp$/;
/** A backup writes all the time, and so does what copies standard input: a file that nobody has written to for so long is nobody's, on whatever machine. */
const ABANDONED_AFTER_MS = 6 * 60 * 60 * 1000;

/** Removes what killed backups and restores have left, or killed nights fill the disk. Before the work: it may need the room. */
export async function removeAbandoned(directory: string, now: number): Promise<string[]> {
  const removed: string[] = [];
  for (const name of (await readdir(directory)).filter((one) => TEMPORARY.test(one))) {
    const file = join(directory, name);
    const there = await stat(file).catch(() => undefined);
    if (there?.isFile() !== true || now - there.mtimeMs < ABANDONED_AFTER_MS) continue;
    // Another user's, in a directory for all: theirs to remove.
    const isGone = await rm(file).then(
      () => true,
      () => false,
    );
    if (isGone) removed.push(file);
  }
  return removed;
}
