import { Argument, Option } from 'commander';
import { CONNECTION_KINDS } from '../../model/enumerations.js';
import type { Call } from '../call.js';

const GROUP = 'Connection:';

export function referenceArgument(): Argument {
  return new Argument('<connection>', 'its name, id, phone_number_id or phone');
}

export function organizationOption(): Option {
  return new Option(
    '--organization <slug>',
    'the organization (default: any; `default` for a new one)',
  ).helpGroup(GROUP);
}

/** What describes a connection. Data, not settings: never read from the environment. */
export function fieldOptions(): Option[] {
  return [
    new Option('--name <name>', 'what you call it'),
    new Option('--kind <kind>', 'how its messages come: cloud_api, coexistence, baileys').choices(
      CONNECTION_KINDS,
    ),
    new Option('--phone <number>', 'its number, international: +5511912345678'),
    new Option('--phone-number-id <id>', 'Meta’s id of the number; webhooks are filed by it'),
    new Option('--waba-id <id>', 'id of the WhatsApp Business Account'),
  ].map((option) => option.helpGroup(GROUP));
}

/** A flag that was typed with a text; undefined when it was not. */
export function readText(call: Pick<Call, 'given'>, key: string): string | undefined {
  const value = call.given.get(key);
  return typeof value === 'string' ? value : undefined;
}

/** The kind that was typed; commander has checked it against the choices. */
export function readKind(call: Pick<Call, 'given'>): (typeof CONNECTION_KINDS)[number] | undefined {
  const typed = readText(call, 'kind');
  return CONNECTION_KINDS.find((kind) => kind === typed);
}
