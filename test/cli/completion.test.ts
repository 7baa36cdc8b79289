import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { bashCompletion } from '../../src/cli/completion/bash.js';
import { completionTree } from '../../src/cli/completion/tree.js';
import { buildProgram } from '../../src/cli/program.js';
import { useEmbedded } from './database-home.js';
import { runCli, temporaryDirectory } from './run-cli.js';

const run = promisify(execFile);

/** What bash offers after `line`; the last word is the one that is being typed. */
async function complete(line: string, setUp = ''): Promise<string[]> {
  const cwd = await temporaryDirectory();
  const script = bashCompletion(completionTree(buildProgram()));
  await writeFile(join(cwd, 'day.ndjson'), '');
  await writeFile(
    join(cwd, 'try.sh'),
    `${setUp}\n${script}\nCOMP_WORDS=(${line
      .split(' ')
      .map((word) => `'${word}'`)
      .join(
        ' ',
      )})\nCOMP_CWORD=$((\${#COMP_WORDS[@]} - 1))\n_wa_reconcile\nprintf '%s\\n' "\${COMPREPLY[@]}"\n`,
  );
  const { stdout } = await run('bash', ['--norc', 'try.sh'], { cwd });
  return stdout.split('\n').filter((word) => word !== '');
}

describe('completion in bash', () => {
  test('offers commands, then their subcommands', async () => {
    expect(await complete('wa-reconcile co')).toEqual(['compare', 'connection', 'completion']);
    expect(await complete('wa-reconcile connection e')).toEqual(['edit']);
  });

  test('offers options where one is begun, after other options too', async () => {
    expect(await complete('wa-reconcile replay --reg')).toEqual(['--register']);
    expect(await complete('wa-reconcile --json replay --since 2d --dry')).toEqual(['--dry-run']);
  });

  test('offers the words that a value may be', async () => {
    expect(await complete('wa-reconcile connection add --kind ')).toEqual([
      'coexistence',
      'cloud_api',
      'baileys',
    ]);
    expect(await complete('wa-reconcile completion z')).toEqual(['zsh']);
    expect(await complete('wa-reconcile replay --since ')).toEqual([]);
  });

  test('offers the words that a list is made of', async () => {
    expect(await complete('wa-reconcile verify --check duplicate')).toEqual(['duplicate_ids']);
    expect(await complete('wa-reconcile dedupe --class no')).toEqual(['no_id']);
  });

  test('asks the database for connections and runs, and runs nothing that stands in a name', async () => {
    const names = [`wa-reconcile() {`, `  cat <<'END'`, 'loja', '$(touch pwned)', 'my shop', 'END', '}'];
    const setUp = `${names.join('\n')}\ntrap '[[ -e pwned ]] && echo pwned' EXIT`;
    const all = ['loja', '$(touch pwned)', 'my shop'];
    expect(await complete('wa-reconcile verify --connection ', setUp)).toEqual(all);
    expect(await complete('wa-reconcile connection show my', setUp)).toEqual(['my shop']);
    expect(await complete('wa-reconcile raw discard --run ', setUp)).toEqual(all);
    expect(await complete('wa-reconcile undo lo', setUp)).toEqual(['loja']);
    expect(await complete('wa-reconcile undo --forc', setUp)).toEqual(['--force']);
  });

  test('offers files where a log is expected', async () => {
    expect(await complete('wa-reconcile replay d')).toEqual(['day.ndjson']);
    expect(await complete('wa-reconcile replay --register d')).toEqual(['day.ndjson']);
    expect(await complete('wa-reconcile connection list -o d')).toEqual(['day.ndjson']);
  });
});

describe('the names that a script asks for', () => {
  const embedded = useEmbedded();

  test('are one a line, and none where there is no database', async () => {
    const run = await embedded.prepare();
    await run(['connection', 'add', '--name', 'my shop', '--kind', 'cloud_api', '--phone', '+15550783881']);
    const names = await run(['completion', 'names', 'connections', '--quiet']);
    expect(names).toMatchObject({ code: 0, stdout: 'my shop\n', stderr: '' });
    expect(await run(['completion', 'names', 'runs', '--quiet'])).toMatchObject({ code: 0, stdout: '' });
    expect((await run(['completion', 'names', 'leads'])).code).toBe(2);
    const nowhere = await runCli(['completion', 'names', 'connections', '--quiet']);
    expect(nowhere).toMatchObject({ code: 2, stdout: '' });
  });
});
