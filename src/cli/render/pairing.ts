import type { PairingStep } from '../../core/devices/options.js';
import type { Call } from '../call.js';
import { formatAmount } from './quantities.js';
import { sanitize } from './sanitize.js';

/** How often a sync that goes on is told of. */
const SYNC_LINE_EVERY_MS = 2_000;

/**
 * Shows a person what to do with the phone, on stderr; with `--events` a program gets each step as JSON. What must be seen
 * is shown under `--quiet`, too.
 */
export async function pairingDisplay(call: Call, connection: string): Promise<(step: PairingStep) => void> {
  const { console, io, settings, look } = call;
  if (settings.events) {
    return (step) => {
      console.line(JSON.stringify({ event: 'link', ...step, ts: new Date(io.clock()).toISOString() }));
    };
  }
  const { default: qrcode } = await import('qrcode-terminal');
  const name = sanitize(connection);
  let lastLine = 0;
  return (step) => {
    switch (step.step) {
      case 'connecting':
        call.notice('Connecting to WhatsApp …');
        break;
      case 'qr':
        console.line(
          `Scan this with the phone of '${name}' (WhatsApp: Settings, Linked devices, Link a device):\n`,
        );
        qrcode.generate(step.qr, { small: true }, (drawn) => {
          console.line(drawn);
        });
        console.line(look.dim('It is renewed until somebody scans it; Ctrl-C ends.'));
        break;
      case 'pairing_code':
        console.line(
          `Type this code on the phone of '${name}' (WhatsApp: Settings, Linked devices, Link with phone number):\n\n` +
            `  ${look.bold(`${step.code.slice(0, 4)}-${step.code.slice(4)}`)}\n`,
        );
        break;
      case 'paired':
        call.notice('The phone has agreed. Keep it online: it sends its history now.');
        break;
      case 'refused':
        call.notice('This is another phone: unlinking again.');
        break;
      case 'syncing': {
        const now = io.clock();
        if (now - lastLine < SYNC_LINE_EVERY_MS) break;
        lastLine = now;
        const percent = step.percent === null ? '' : `, ${step.percent} %`;
        call.notice(
          `Syncing: ${formatAmount(step.messages, 'message')} in ${step.received} of ${formatAmount(step.announced, 'chunk')}${percent}`,
        );
      }
    }
  };
}
