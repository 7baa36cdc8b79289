import { Argument } from 'commander';
import { CONNECTION_KINDS } from '../../model/enumerations.js';
import { choice, property } from '../flags/kinds.js';
import { group } from '../flags/table.js';

const GROUP = 'Connection:';

export function referenceArgument(): Argument {
  return new Argument('<connection>', 'its name, id, phone_number_id or phone');
}

/** The organization in which to look up a connection. Only from the line: the environment must not choose it. */
export const ORGANIZATION = group(GROUP, {
  organization: property('slug', 'the organization').otherwise('any; `default` for a new one'),
});

/** Properties of a connection. Data, not settings: never read from the environment. */
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
