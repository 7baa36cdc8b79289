/** The costliest functions of a `.cpuprofile`, by self time: `node dist-bench/test/bench/summarize-profile.js FILE [rows]`. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const Profile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).optional(),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

const [file = '', rows = '40'] = process.argv.slice(2);
const profile = Profile.parse(JSON.parse(readFileSync(file, 'utf8')));
const selfTime = new Map<number, number>();
profile.samples.forEach((id, i) => {
  selfTime.set(id, (selfTime.get(id) ?? 0) + (profile.timeDeltas[i] ?? 0) / 1000);
});
const parents = new Map<number, number>();
for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);
const byId = new Map(profile.nodes.map((node) => [node.id, node]));

const place = (url: string): string => url.replace(/^.*\/(node_modules|dist-bench|dist)\//, '');

const byFunction = new Map<string, number>();
const byModule = new Map<string, number>();
const including = new Map<string, number>();
function add(to: Map<string, number>, key: string, ms: number): void {
  to.set(key, (to.get(key) ?? 0) + ms);
}
for (const node of profile.nodes) {
  const ms = selfTime.get(node.id) ?? 0;
  if (ms === 0) continue;
  const { functionName, url, lineNumber } = node.callFrame;
  add(byFunction, `${functionName || '(anonymous)'} ${place(url)}:${lineNumber + 1}`, ms);
  const path = place(url);
  const [scope = '', name = ''] = path.split('/');
  add(
    byModule,
    url === ''
      ? functionName
      : path.startsWith('src/')
        ? path
        : scope.startsWith('@')
          ? `${scope}/${name}`
          : scope,
    ms,
  );
  const seen = new Set<string>();
  for (let id: number | undefined = node.id; id !== undefined; id = parents.get(id)) {
    const frame = byId.get(id)?.callFrame;
    if (frame === undefined || !place(frame.url).startsWith('src/')) continue;
    const key = `${frame.functionName} ${place(frame.url)}`;
    if (!seen.has(key)) add(including, key, ms);
    seen.add(key);
  }
}
function print(title: string, table: Map<string, number>): void {
  process.stdout.write(`\n${title}\n`);
  for (const [key, ms] of [...table].sort((a, b) => b[1] - a[1]).slice(0, Number(rows))) {
    process.stdout.write(`${ms.toFixed(0).padStart(8)} ms  ${key}\n`);
  }
}
print('Self time by function', byFunction);
print('Self time by module', byModule);
print('Time including what it calls, of our own functions', including);
