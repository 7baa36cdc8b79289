import { Argument } from 'commander';
import { CONNECTION_KINDS } from '../../model/enumerations.js';
import { choice, property } from '../flags/kinds.js';
import { group } from '../flags/table.js';

const GROUP = 'Connection:';

export function referenceArgument(): Argument {
  return new Argument('<connection>', 'its name, id, phone_number_id or phone');
}

/** Which organization a connection is looked for in. Typed or not: the environment does not say what is meant. */
export const ORGANIZATION = group(GROUP, {
  organization: property('slug', 'the organization').otherwise('any; `default` for a new one'),
});

/** What describes a connection. Data, not settings: never read from the environment. */
export const FIELDS = {
  ...group(GROUP, {
    name: property('name', 'its name'),
    kind: choice(
      'kind',
      CONNECTION_KINDS,
      'how it receives messages: cloud_api, coexistence, baileys',
    ).onlyTyped(),
    phone: property('number', 'its number, international: +5511912345678'),
    phoneNumberId: property('id', 'Meta’s id of the number, which webhooks name'),
    wabaId: property('id', 'id of the WhatsApp Business Account'),
  }),
  ...ORGANIZATION,
};
