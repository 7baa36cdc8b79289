import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from './installation.js';

/**
 * Starts the command again and again, and kills it with SIGKILL after so many batches (`progress` events) and as many
 * milliseconds. Gives how many of the runs had begun.
 */
export async function killTimes(
  machine: Installation,
  command: readonly string[],
  afterBatches: readonly number[],
): Promise<number> {
  let begun = 0;
  for (const batches of afterBatches) {
    const child = await machine.start([...command, '--events']);
    const told = { started: false, batches: 0 };
    const reached = new Promise<void>((resolve) => {
      child.process.stderr?.on('data', (text: string) => {
        told.started ||= text.includes('"event":"run_started"');
        told.batches += text.split('"event":"progress"').length - 1;
        if (told.started && told.batches >= batches) resolve();
      });
    });
    await Promise.race([reached, child.ended]);
    await delay(batches);
    child.process.kill('SIGKILL');
    await child.ended;
    if (told.started) begun += 1;
  }
  return begun;
}
