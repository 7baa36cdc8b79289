/** How long a way of storing messages took. */
export interface Measured {
  messages: number;
  milliseconds: number;
}

/** Messages per second. */
export function rateOf({ messages, milliseconds }: Measured): number {
  return (messages / milliseconds) * 1000;
}

export async function stopwatch(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
