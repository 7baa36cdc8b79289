import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createConsole } from '../../src/cli/console.js';
import { createLook } from '../../src/cli/ui/look.js';
import { pairingDisplay, type PairingDisplay, type Screen } from '../../src/cli/ui/pairing.js';
import { drawQr } from '../../src/cli/ui/qr.js';
import { readTerminalQr } from '../support/fake-whatsapp/terminal-qr.js';

/** As long as WhatsApp's own: a reference, three keys and where they lead. */
const TEXT = `https://wa.me/settings/linked_devices#2@${'R'.repeat(88)},${'n'.repeat(43)}=,${'i'.repeat(43)}=,${'a'.repeat(43)}=,1`;
const OTHER = TEXT.replace('RRRR', 'SSSS');

/** A terminal of this size; what is on its screen follows the few sequences that are used. */
class Terminal extends Writable {
  written = '';
  screen: string[] = [''];

  constructor(
    public rows: number,
    public columns: number,
  ) {
    super();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const text = chunk.toString();
    this.written += text;
    for (const part of text.split(/(\u001b\[\d+A|\u001b\[0J|\n)/)) {
      const up = /^\u001b\[(\d+)A$/.exec(part);
      if (up !== null) this.screen.length = Math.max(1, this.screen.length - Number(up[1]));
      else if (part === '\n') this.screen.push('');
      else if (part === '\u001b[0J') this.screen[this.screen.length - 1] = '';
      else this.screen.push(`${this.screen.pop() ?? ''}${part}`);
    }
    done();
  }
}

function displayOn(
  terminal: Terminal,
  color = true,
  notice: (line: string) => void = () => undefined,
): PairingDisplay {
  const call: Screen = {
    io: { stderr: terminal, stderrIsTTY: true, clock: Date.now },
    console: createConsole({ stderr: terminal }),
    settings: { events: false, verbose: 0, debug: false },
    look: createLook(color, 80, () => ['--home', '/srv/wa']),
    notice,
  };
  return pairingDisplay(call, 'loja');
}

async function shown(terminal: Terminal, text: string): Promise<void> {
  for (let waited = 0; waited < 5_000 && readTerminalQr(terminal.screen.join('\n')) !== text; waited += 20)
    await delay(20);
  expect(readTerminalQr(terminal.screen.join('\n'))).toBe(text);
}

describe('the QR code', () => {
  it('has a quiet zone of four modules on every side, and the colors that no theme changes', async () => {
    const { lines, rows, columns } = await drawQr(TEXT, true);
    expect(readTerminalQr(lines.join('\n'))).toBe(TEXT);
    const plain = lines.map(stripVTControlCharacters);
    expect(plain.slice(0, 2)).toEqual(['█'.repeat(columns), '█'.repeat(columns)]);
    for (const line of plain.slice(0, -1)) expect(line).toMatch(/^█{4}.*█{4}$/);
    expect(plain.every((line) => line.length === columns)).toBe(true);
    expect(rows).toBe(Math.ceil(columns / 2));
    expect(lines[0]).toMatch(/^\u001b\[38;5;231;48;5;16m/);
  });

  it('is drawn over the one before when it is renewed', async () => {
    const terminal = new Terminal(60, 80);
    const display = displayOn(terminal);
    display.show({ step: 'qr', qr: TEXT });
    await shown(terminal, TEXT);
    const height = terminal.screen.length;
    display.show({ step: 'qr', qr: OTHER });
    await shown(terminal, OTHER);
    expect(terminal.screen).toHaveLength(height);
    expect(terminal.screen.join('\n').match(/Scan this/g)).toHaveLength(1);
    display.close();
  });

  it('says in 80x24 how large the window must be and what else there is, and appears when it is', async () => {
    const terminal = new Terminal(24, 80);
    const display = displayOn(terminal);
    display.show({ step: 'qr', qr: TEXT });
    await delay(200);
    const said = terminal.screen.join('\n');
    const [, rows = ''] = /needs a window of (\d+) rows/.exec(said) ?? [];
    // 80 columns are enough: only what lacks is named.
    expect(said).toContain(`a window of ${rows} rows; this one has 24.`);
    expect(said).toContain('wa-reconcile link --connection loja --pairing-code --home /srv/wa');
    expect(said).not.toContain('█');
    terminal.rows = Number(rows);
    await shown(terminal, TEXT);
    // Nothing of it has scrolled out of the window.
    const from = terminal.screen.findIndex((line) => line.startsWith('Scan this'));
    expect(terminal.screen.length - from).toBeLessThanOrEqual(terminal.rows);
    display.close();
  });

  it('names the columns alone where the rows are enough', async () => {
    const terminal = new Terminal(40, 50);
    const display = displayOn(terminal);
    display.show({ step: 'qr', qr: TEXT });
    await delay(200);
    expect(terminal.screen.join('\n')).toMatch(/needs a window of \d+ columns; this one has 50\./);
    expect(terminal.screen.join('\n')).not.toMatch(/\d+ rows/);
    display.close();
  });
});

describe('the first sync', () => {
  it('ends with its last figures, and says what is waited for', async () => {
    const lines: string[] = [];
    const display = displayOn(new Terminal(40, 80), true, (line) => lines.push(line));
    const step = { step: 'syncing', percent: null } as const;
    display.show({ ...step, messages: 0, announced: 1, received: 0 });
    display.show({ ...step, messages: 7, announced: 2, received: 1 });
    display.show({ ...step, messages: 9, announced: 2, received: 2 });
    await delay(2_100);
    expect(lines).toEqual([
      'Syncing: 0 of 1 chunk received, with 0 messages',
      'Syncing: 2 of 2 chunks received, with 9 messages',
    ]);
    display.show({
      step: 'waiting',
      for: 'files',
      chunks: [{ type: 'full', chunk: 2 }],
      atMostMs: 59_800,
    });
    expect(lines.at(-1)).toBe(
      'Waiting up to 60 s for 1 file of history that did not arrive: chunk 2 of the full history',
    );
    display.close();
  });
});
