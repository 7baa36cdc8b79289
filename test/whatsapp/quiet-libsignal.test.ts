import { expect, it, onTestFinished, vi } from 'vitest';
import { quietLibsignal } from '../../src/whatsapp/baileys-log.js';

it('keeps libsignal from printing keys, and leaves what others print alone', () => {
  const output = globalThis.console;
  const printed = vi.spyOn(output, 'info').mockReturnValue();
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const logged: string[] = [];
  quietLibsignal((line) => logged.push(line));
  output.info('Closing session:', { privKey: 'secret' });
  output.info('hello', 1);
  expect(printed.mock.calls).toEqual([['hello', 1]]);
  expect(logged).toEqual(['libsignal: Closing session:']);
});
