/**
 * Loaded with `--import` into the process that replays: when it ends, writes its peak resident memory, in bytes, into the
 * file that BENCH_MEMORY_FILE names. VmHWM is the process's own; getrusage's maximum would be inherited from the parent.
 */
import { readFileSync, writeFileSync } from 'node:fs';

process.on('exit', () => {
  const file = process.env.BENCH_MEMORY_FILE;
  if (file !== undefined) writeFileSync(file, String(peakBytes()));
});

function peakBytes(): number {
  try {
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (peak !== undefined) return Number(peak) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
