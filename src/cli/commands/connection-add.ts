import type { Command } from 'commander';
import type { NewConnection } from '../../commands/connections/save.js';
import { EXIT, UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { Attach, Call, Outcome } from '../call.js';
import { DATABASE_EXITS, describe } from '../describe.js';
import { readFlags } from '../flags/table.js';
import { askChoice, askText, missingFlag, whyNotAsk } from '../prompts.js';
import { FIELDS } from './connection-options.js';
import { presentAdded } from '../views/connections.js';

const EXAMPLE = remedy(
  'connection add',
  ['--name', 'main', '--kind', 'cloud_api', '--phone', '+15550783881'],
  'adds a Cloud API number',
);
const DEFAULT_ORGANIZATION = 'default';

export function registerConnectionAdd(parent: Command, attach: Attach): void {
  const command = describe(parent.command('add'), {
    flags: FIELDS,
    summary: 'Add a connection: one WhatsApp number of the business.',
    details:
      'On a terminal it prompts for what is missing. The next `wa-reconcile replay` files the ' +
      'entries that are pending for this connection.',
    examples: [
      ['wa-reconcile connection add', 'prompt for every field'],
      ['wa-reconcile connection add --name main --kind cloud_api --phone +15550783881', 'a Cloud API number'],
      [
        'wa-reconcile connection add --name shop --kind baileys --phone +5511912345678',
        'a WhatsApp Web session',
      ],
    ],
    exits: { ...DATABASE_EXITS, [EXIT.usage]: 'wrong usage or configuration; the name or number is taken' },
  });
  attach(command, add);
}

async function add(call: Call): Promise<Outcome> {
  const [{ withContext }, { addConnection }] = await Promise.all([
    import('../session.js'),
    import('../../commands/connections/save.js'),
  ]);
  const input = await readConnection(call);
  const result = await withContext(call, { command: 'connection add', creates: true }, (ctx) =>
    addConnection(ctx, input),
  );
  return { presentation: presentAdded(result), exitCode: EXIT.ok };
}

/** From the flags; on a terminal, asks for missing ones. */
async function readConnection(call: Call): Promise<NewConnection> {
  const whyNot = whyNotAsk(call);
  const { values } = readFlags(FIELDS, call);
  const { name, kind, organization = DEFAULT_ORGANIZATION, ...rest } = values;
  if (whyNot !== undefined) {
    if (name === undefined) throw missingFlag('--name', whyNot, EXAMPLE);
    if (kind === undefined) throw missingFlag('--kind', whyNot, EXAMPLE);
    return { ...rest, name, kind, organization };
  }
  return askForRest(call, { ...values, organization });
}

async function askForRest(
  call: Call,
  given: Omit<NewConnection, 'name' | 'kind'> & Partial<Pick<NewConnection, 'name' | 'kind'>>,
): Promise<NewConnection> {
  const [{ checkId, checkName }, { parseBusinessPhone }] = await Promise.all([
    import('../../commands/connections/validate.js'),
    import('../../commands/connections/validate.js'),
  ]);
  const name =
    given.name ??
    (await askText(call, {
      message: 'Name of the connection:',
      check: (typed) => complaint(() => checkName(typed)),
    }));
  const kind =
    given.kind ??
    (await askChoice(call, 'How does it receive messages?', [
      { value: 'cloud_api', name: 'Cloud API' },
      { value: 'coexistence', name: 'Cloud API beside the WhatsApp Business app (coexistence)' },
      { value: 'baileys', name: 'WhatsApp Web (Baileys)' },
    ]));
  // With a name and a kind on the line, other omissions are intended; but one of the two must be known.
  const asked = given.name === undefined || given.kind === undefined;
  const needed = kind !== 'baileys' && given.phone === undefined && given.phoneNumberId === undefined;
  const phone =
    given.phone ??
    (asked || needed
      ? await askText(call, {
          message: 'Phone number, international (Enter to skip):',
          check: (typed) => (typed === '' ? undefined : complaint(() => parseBusinessPhone(typed))),
        })
      : '');
  const phoneNumberId =
    given.phoneNumberId ??
    (kind !== 'baileys' && (asked || (needed && phone === ''))
      ? await askText(call, {
          message: `phone_number_id, from the metadata of its webhooks${phone === '' ? '' : ' (Enter to skip)'}:`,
          check: (typed) =>
            typed === '' && phone !== '' ? undefined : complaint(() => checkId(typed, 'phone_number_id')),
        })
      : '');
  return { ...given, name, kind, ...nonEmpty({ phone, phoneNumberId }) };
}

function nonEmpty(answers: Record<'phone' | 'phoneNumberId', string>): Partial<typeof answers> {
  return {
    ...(answers.phone === '' ? {} : { phone: answers.phone }),
    ...(answers.phoneNumberId === '' ? {} : { phoneNumberId: answers.phoneNumberId }),
  };
}

/** A validator's objection, in inquirer's form. */
function complaint(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
