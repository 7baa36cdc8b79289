/**
 * Milliseconds of CPU that this process takes for `work`: what grows with the square of its input shows in them, and what else the
 * machine is doing does not. Right where no other test runs in the process meanwhile.
 */
export function cpuMs(work: () => void): number {
  const started = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
}
