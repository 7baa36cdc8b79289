import { z } from 'zod';
import type { Run } from './database-home.js';
import type { Seen } from './run-cli.js';

/** A command as it is typed, with the flags of this call, or as its words. */
const ADVICE = z.union([
  z.string(),
  z
    .object({ command: z.string(), args: z.array(z.string()) })
    .transform(({ command, args }) => [command, ...args].join(' ')),
]);
const LINE = ADVICE.transform((line) =>
  line.replace(/^wa-reconcile /, '').replace(/ --home \S+$/, ''),
).nullable();

const VERIFIED = z.object({ checks: z.array(z.object({ remedy: LINE })) });
const EXPLAINED = z.object({ remedies: z.array(LINE) });
const ALERTED = z.object({ alerts: z.array(z.object({ severity: z.string(), remedy: LINE })) });

/** What `verify` advises first; null when it has nothing to advise. `argv`: its flags. */
export async function verifyAdvice(run: Run, argv: readonly string[] = []): Promise<string | null> {
  const { stdout } = await run(['verify', ...argv, '--json']);
  const { checks } = VERIFIED.parse(JSON.parse(stdout));
  return checks.find(({ remedy }) => remedy !== null)?.remedy ?? null;
}

export async function explainAdvice(run: Run, subject: string): Promise<string[]> {
  const { stdout } = await run(['explain', subject, '--json']);
  return EXPLAINED.parse(JSON.parse(stdout)).remedies.flatMap((line) => line ?? []);
}

/** What the alerts of `report` advise, but for notes. */
export async function reportAdvice(run: Run): Promise<string[]> {
  const { stdout } = await run(['report', '--json']);
  const { alerts } = ALERTED.parse(JSON.parse(stdout));
  return alerts.flatMap(({ severity, remedy }) => (severity === 'note' ? [] : (remedy ?? [])));
}

/** Types what is advised until there is no advice left, at most so many commands. Gives what was typed. */
export async function follow(
  run: Run,
  advice: () => Promise<string | null>,
  surroundings?: Parameters<Run>[1],
): Promise<string[]> {
  const typed: string[] = [];
  for (let line = await advice(); line !== null && typed.length < MOST; line = await advice()) {
    typed.push(line);
    await run(line.split(' '), surroundings);
  }
  return typed;
}

const MOST = 6;

/** What an exit code says of a `verify` without findings. */
export async function verifyCode(run: Run): Promise<Seen['code']> {
  return (await run(['verify'])).code;
}
