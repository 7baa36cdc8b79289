import { readFile, readlink } from 'node:fs/promises';
import { getPriority } from 'node:os';

/**
 * Whether a process of this machine (and of this container) still runs. A zombie does not: it has ended, and only its
 * parent has not noticed yet. Asking for its priority needs no right over it, unlike sending a signal.
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
 * When a process started, as text that no other process of that id can share: the machine's boot and the clock ticks since.
 * Undefined where there is no /proc, and for a process that has ended.
 */
export async function processStartTime(pid: number): Promise<string | undefined> {
  const stat = await readStat(pid);
  if (stat === undefined) return undefined;
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown');
  return `${boot.trim()}/${stat.startTicks}`;
}

/**
 * The space in which process ids are counted: two containers on one machine can have the same host name and each a process
 * of its own with the same id. Undefined where there is no /proc.
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
