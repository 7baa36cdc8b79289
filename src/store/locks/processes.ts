import { readFile, readlink } from 'node:fs/promises';
import { getPriority } from 'node:os';

/**
 * Whether a process of this machine (and of this container) is still running. A zombie is not: it has ended, and its
 * parent has not reaped it yet. Reading its priority requires no permission, unlike sending a signal.
 */
export async function isProcessAlive(pid: number): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    getPriority(pid);
  } catch (error) {
    return !isNoSuchProcess(error);
  }
  return (await readStat(pid))?.state !== 'Z';
}

/**
 * When a process started, as text unique for its id: the machine's boot and the clock ticks since. Undefined without
 * /proc, and for a dead process.
 */
export async function processStartTime(pid: number): Promise<string | undefined> {
  const stat = await readStat(pid);
  if (stat === undefined) return undefined;
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown');
  return `${boot.trim()}/${stat.startTicks}`;
}

/**
 * The process id namespace: two containers on one machine can have the same host name and a process each with the same
 * id. Undefined without /proc.
 */
export async function pidNamespace(): Promise<string | undefined> {
  return readlink('/proc/self/ns/pid').catch(() => undefined);
}

/** Fields 3 and 22 of /proc/PID/stat (proc(5)); field 2, the name, is in parentheses and may hold anything. */
async function readStat(pid: number): Promise<{ state: string; startTicks: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields?.[0];
  const startTicks = fields?.[19];
  return state === undefined || startTicks === undefined ? undefined : { state, startTicks };
}

function isNoSuchProcess(error: unknown): boolean {
  return (
    error instanceof Error &&
    'info' in error &&
    typeof error.info === 'object' &&
    error.info !== null &&
    'code' in error.info &&
    error.info.code === 'ESRCH'
  );
}
