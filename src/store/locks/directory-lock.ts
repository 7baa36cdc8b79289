import { randomUUID } from 'node:crypto';
import { rm, link, open, readFile, rename } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LockedError } from '../../model/errors.js';
import { WAIT_FOR_IT } from './holders.js';
import { isProcessAlive, pidNamespace, processStartTime } from './processes.js';
import { pollForLock, type LockWait } from './run-lock.js';

/** The lock's owner, as shown to the next process. */
export interface LockOwner {
  command: string;
  host: string;
  pid: number;
}

/** The JSON in the lock file. */
interface LockContent extends LockOwner {
  startedAt: string;
  processStartTime?: string;
  pidNamespace?: string;
  /** Distinguishes two locks of one process. */
  token: string;
}

/** The state of a held lock. Only a `dead` one is taken over. */
type Holder = { state: 'alive' | 'elsewhere' | 'dead'; content: LockContent } | { state: 'unreadable' };

/** A killed stealer leaves its own lock behind; three in a row are not an accident. */
const MAX_STEAL_DEPTH = 3;

/** Retries when a lock vanished or changed hands during the check. */
const MAX_STEPS = 40;
const STEP_MS = 25;

/**
 * Takes the lock file at `path`, which keeps every other process out of the embedded database: two that open one
 * directory silently lose committed rows, so readers take it too. It is outside the directory, which only PGlite may
 * write.
 *
 * A lock is taken over only from a dead process, on this host and in this container; never because of age, because
 * PGlite blocks the event loop and a busy holder looks just like a hung one.
 *
 * Throws LockedError (exit 5), naming the holder, if still held after `waitMs`.
 */
export async function acquireDirectoryLock(
  path: string,
  owner: LockOwner,
  wait: LockWait = {},
): Promise<{ release(): Promise<void> }> {
  const mine = await describeOwner(owner);
  const content = `${JSON.stringify(mine)}\n`;

  async function attempt(): Promise<{ lock: { release(): Promise<void> } } | { held: Holder }> {
    let holder: Holder = { state: 'unreadable' };
    for (let step = 0; step < MAX_STEPS; step += 1) {
      if (await createLockFile(path, content)) return { lock: { release } };
      const found = await readLockFile(path);
      if (found === undefined) continue;
      holder = await judge(found, mine);
      if (holder.state !== 'dead') break;
      if (await takeOver(path, found, content, mine, 1)) return { lock: { release } };
      // Another process is taking it over; the file will name it in a moment.
      await delay(STEP_MS);
    }
    return { held: holder };
  }

  async function release(): Promise<void> {
    // No longer ours if it was deleted manually and another process has since taken it.
    if ((await readLockFile(path)) === content) await rm(path, { force: true });
  }

  return pollForLock(attempt, (holder) => refusal(path, holder), wait);
}

/** Who holds a lock file, according to {@link readDirectoryLock}. */
type DirectoryLockState =
  | { state: 'free' | 'unreadable' }
  /** `dead`: left behind by a dead process; the next one takes it. `elsewhere`: from another machine or container. */
  | { state: 'alive' | 'elsewhere' | 'dead'; command: string; host: string; pid: number; startedAt: string };

/** Reads the lock file without touching it. */
export async function readDirectoryLock(path: string, owner: LockOwner): Promise<DirectoryLockState> {
  const found = await readLockFile(path);
  if (found === undefined) return { state: 'free' };
  const holder = await judge(found, await describeOwner(owner));
  if (holder.state === 'unreadable') return { state: 'unreadable' };
  const { command, host, pid, startedAt } = holder.content;
  return { state: holder.state, command, host, pid, startedAt };
}

/**
 * Replaces a dead process's content with ours, if it is unchanged. A second lock guards this step, so only one of
 * several contenders gets it; later ones find the content changed. The lock file itself always exists meanwhile, so no
 * process can slip in by creating it.
 */
async function takeOver(
  path: string,
  dead: string,
  content: string,
  mine: LockContent,
  depth: number,
): Promise<boolean> {
  const guard = `${path}.steal`;
  if (!(await createLockFile(guard, content))) {
    const found = await readLockFile(guard);
    if (found === undefined || depth === MAX_STEAL_DEPTH) return false;
    if ((await judge(found, mine)).state !== 'dead') return false;
    if (!(await takeOver(guard, found, content, mine, depth + 1))) return false;
  }
  try {
    if ((await readLockFile(path)) !== dead) return false;
    await replaceLockFile(path, content);
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

async function describeOwner({ command, host, pid }: LockOwner): Promise<LockContent> {
  const started = await processStartTime(pid);
  const namespace = await pidNamespace();
  return {
    pid,
    host,
    command,
    startedAt: new Date().toISOString(),
    ...(started === undefined ? {} : { processStartTime: started }),
    ...(namespace === undefined ? {} : { pidNamespace: namespace }),
    token: randomUUID(),
  };
}

async function judge(text: string, mine: LockContent): Promise<Holder> {
  const content = parse(text);
  if (content === undefined) return { state: 'unreadable' };
  if (content.host !== mine.host || differ(content.pidNamespace, mine.pidNamespace)) {
    return { state: 'elsewhere', content };
  }
  if (!(await isProcessAlive(content.pid))) return { state: 'dead', content };
  // The id may have been reused by a new process.
  const reused = differ(content.processStartTime, await processStartTime(content.pid));
  return { state: reused ? 'dead' : 'alive', content };
}

function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

function refusal(path: string, holder: Holder): LockedError {
  const directory = path.replace(/\.lock$/, '');
  if (holder.state === 'unreadable') {
    return new LockedError(
      `The embedded database ${directory} is locked, and its lock file cannot be read.`,
      {
        remedy: `If no other process of wa-reconcile uses it, remove ${path} by hand.`,
      },
    );
  }
  const { pid, host, command, startedAt } = holder.content;
  const who = `${command} (process ${pid} on ${host}, since ${startedAt})`;
  if (holder.state === 'elsewhere') {
    return new LockedError(
      `The embedded database ${directory} is locked by ${who} on another machine or container; whether that process still runs cannot be checked from here.`,
      { remedy: `If it does not, remove ${path} by hand.` },
    );
  }
  return new LockedError(`The embedded database ${directory} is in use by ${who}.`, WAIT_FOR_IT);
}

function parse(text: string): LockContent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const read = new Map<string, unknown>(Object.entries(value));
  const pid = read.get('pid');
  const [host, command, startedAt, token] = ['host', 'command', 'startedAt', 'token'].map((key) =>
    stringOrNothing(read.get(key)),
  );
  if (typeof pid !== 'number' || host === undefined) return undefined;
  const started = stringOrNothing(read.get('processStartTime'));
  const namespace = stringOrNothing(read.get('pidNamespace'));
  return {
    pid,
    host,
    command: command ?? 'an unknown command',
    startedAt: startedAt ?? 'unknown',
    ...(started === undefined ? {} : { processStartTime: started }),
    ...(namespace === undefined ? {} : { pidNamespace: namespace }),
    token: token ?? '',
  };
}

function stringOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Some file systems have no links (exFAT, some network mounts). */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Creates a lock file with its full content atomically, or returns false if it exists. Written beside and linked into
 * place: a file created first and filled later can be read, or left by a kill, while empty, and its owner would be
 * unknown.
 */
async function createLockFile(path: string, content: string): Promise<boolean> {
  const beside = await writeBeside(path, content);
  try {
    await link(beside, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    if (error instanceof Error && 'code' in error && NO_LINKS.has(String(error.code))) {
      return await createInPlace(path, content);
    }
    throw error;
  } finally {
    await rm(beside, { force: true });
  }
}

/** Atomically replaces the content of an existing lock file. */
async function replaceLockFile(path: string, content: string): Promise<void> {
  const beside = await writeBeside(path, content);
  try {
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** The content, or undefined if the file is missing. */
async function readLockFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function createInPlace(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(content).finally(() => file.close());
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function writeBeside(path: string, content: string): Promise<string> {
  const beside = `${path}.${randomUUID()}`;
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(content);
    // Otherwise a power cut can leave the name without the content.
    await file.sync();
  } finally {
    await file.close();
  }
  return beside;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
