import type {
  ContactExplanation,
  ConversationExplanation,
  NameSource,
  TicketExplanation,
} from '../../commands/explain/result.js';
import { formatAmount, formatCount } from '../ui/quantities.js';
import {
  countOf,
  faint,
  fields,
  list,
  numbers,
  section,
  span,
  table,
  text,
  type Block,
  type Item,
} from '../ui/document.js';
import { clock, explainReason } from './explain-facts.js';
import { journalSection } from './explain-message.js';

/** Who it is, what linked its identities, and what the database has of it. */
export function contactBlocks(contact: ContactExplanation): Block[] {
  return [
    leadSection(contact),
    identitiesSection(contact),
    journalSection('Merges', contact.merges),
    conversationsSection(contact.conversations),
    section(`Tickets (${contact.tickets.length})`, [list(contact.tickets.map(ticketItem))]),
    logSection(contact),
  ];
}

function leadSection({ lead, names }: ContactExplanation): Block {
  if (lead === null) {
    return section('Contact', [
      fields(
        names.length === 0
          ? []
          : [
              ['no lead', 'nothing created one: no message, address-book entry or reaction'],
              ['known as', names.join(', ')],
            ],
      ),
    ]);
  }
  const because = lead.sourceBecause;
  return section('Lead', [
    fields([
      ...nameFields(lead),
      ['username', lead.username],
      ['phone', lead.phone ?? 'unknown'],
      ['id', lead.id],
      ['organization', lead.organization],
      [
        'source',
        because === null
          ? lead.source
          : `${lead.source}: ${because.what} of ${clock(because.at)}${because.connection === null ? '' : ` on ${because.connection}`}`,
      ],
      ['first seen', clock(lead.firstSeenAt)],
      ['last message', lead.lastMessageAt === null ? 'none' : clock(lead.lastMessageAt)],
      ...listingFields(lead),
    ]),
  ]);
}

const NAME_SOURCES: Readonly<Record<NameSource, string>> = {
  address_book: 'from the address book (state sync)',
  profile: 'from the profile (webhook of a message)',
};

/** The lead's name and where it comes from, then the names of other sources where they differ. */
function nameFields({
  name,
  nameFrom,
  namesFrom,
}: NonNullable<ContactExplanation['lead']>): [name: string, value: string | null][] {
  const shown = namesFrom.map(({ from, name: said, at }) => ({
    ...{ from, said },
    because: `${NAME_SOURCES[from]}, ${clock(at)}`,
  }));
  const because = shown.filter(({ said }) => said === name).map((one) => one.because);
  const others = shown.filter(({ said }) => said !== name);
  const words = nameFrom === 'elsewhere' ? 'written by a person or another program' : because.join(', and ');
  return [
    ['name', name === null ? null : `${name}: ${words}`],
    ...others.map(({ from, said, because: why }): [string, string] => [
      from === 'profile' ? 'profile name' : 'address-book name',
      `${said}: ${why}`,
    ]),
  ];
}

/** Whether it is active is worth a line only if something happened to it. */
function listingFields({
  isActive,
  deletedAt,
  addressBook,
  isDecidedByOthers,
}: NonNullable<ContactExplanation['lead']>): [name: string, value: string | null][] {
  const removed =
    addressBook?.state === 'removed' ? `removed on ${clock(addressBook.at)}; the lead stays` : null;
  const state = [
    isActive ? 'active' : 'not active',
    ...(deletedAt === null ? [] : [`deleted on ${clock(deletedAt)}`]),
  ].join(', ');
  const by = 'decided by a person or another program, not by the address book';
  return [
    ['address book', removed],
    ['state', isDecidedByOthers ? `${state}: ${by}; a replay leaves it so` : null],
  ];
}

function identitiesSection({ identities }: ContactExplanation): Block {
  return section('Identities', [
    list(
      (identities.length < 2 ? [] : identities).map(({ kind, value, linkedBy }) => ({
        line: [
          faint(`${kind}  `),
          value,
          ...(linkedBy === null
            ? []
            : [
                `  linked to ${linkedBy.to} by `,
                span('place', linkedBy.origin),
                ` (${linkedBy.kind.replaceAll('_', ' ')})`,
              ]),
        ],
      })),
    ),
  ]);
}

function conversationsSection(conversations: readonly ConversationExplanation[]): Block {
  const remarks = conversations.flatMap((one) => [
    ...historyRemarks(one),
    ...(one.fromElsewhere === 0
      ? []
      : [
          `${one.connection}: ${formatAmount(one.fromElsewhere, 'message')} without a raw log entry (deleted, or written by another program)`,
        ]),
  ]);
  return section('Conversations', [
    table(
      [
        'connection',
        numbers('messages'),
        numbers('in'),
        numbers('out'),
        ...['live', 'history', 'echo'].map((heading) => ({ ...numbers(heading), optional: true })),
        { heading: 'first', optional: true },
        'last (UTC)',
      ],
      conversations.map((one) => [
        span('strong', one.connection),
        formatCount(one.messages),
        countOf(one.inbound),
        countOf(one.outbound),
        countOf(one.live),
        countOf(one.fromHistory),
        countOf(one.echoes),
        one.firstMessageAt?.slice(0, 10) ?? '–',
        one.lastMessageAt === null ? '–' : clock(one.lastMessageAt).slice(0, 16),
      ]),
    ),
    text(...remarks.map((remark) => span('warn', remark))),
  ]);
}

/** Why history may be missing from a conversation. */
function historyRemarks({ connection, history, missingChunks }: ConversationExplanation): string[] {
  const remarks: string[] = [];
  if (missingChunks.length > 0) {
    const shown = missingChunks.slice(0, 5).join(', ');
    const more = missingChunks.length > 5 ? ', …' : '';
    remarks.push(`${connection}: missing history chunks (phase/chunk): ${shown}${more}`);
  }
  switch (history) {
    case 'declined':
      remarks.push(`${connection}: the business declined to share its history`);
      break;
    case 'failed':
      remarks.push(`${connection}: its history sync failed`);
      break;
    case 'pending_consent':
    case 'pending_history':
      remarks.push(`${connection}: its history has not been received yet`);
      break;
    case 'syncing':
      remarks.push(`${connection}: its history sync has not finished`);
      break;
    case 'not_supported':
    case 'completed':
      break;
  }
  return remarks;
}

function ticketItem(ticket: TicketExplanation): Item {
  const closed = ticket.closedAt === null ? '' : `, closed ${clock(ticket.closedAt)}`;
  const opener =
    ticket.openedByExternalId === null
      ? `opened by ${ticket.source === 'manual' ? 'a person' : ticket.source}`
      : `opened by the live message ${ticket.openedByExternalId}`;
  const entry = ticket.openedByEntry === null ? '' : `  ${ticket.openedByEntry}`;
  return {
    line: [faint(clock(ticket.openedAt)), `  ${ticket.status}${closed}  ${ORIGINS[ticket.originatedFrom]}`],
    under: [[opener, span('place', entry)], faint(windowWords(ticket))],
  };
}

const ORIGINS = {
  new_contact: 'new_contact: the contact’s first ticket',
  history_lead: 'history_lead: first known from history',
  existing: 'existing: had a ticket before, or was in the address book',
} as const;

function windowWords({ messageWindowExpiresAt, originatedFrom }: TicketExplanation): string {
  if (messageWindowExpiresAt !== null) return `message window until ${clock(messageWindowExpiresAt)}`;
  return originatedFrom === 'history_lead'
    ? 'no message window: the lead is from history'
    : 'no message window';
}

/** What became of the contact's messages, each counted once. */
function logSection({ messages, entries }: ContactExplanation): Block {
  if (messages.total === 0) return text();
  return section(
    'In the raw log',
    [
      table(
        [numbers('messages'), 'outcome'],
        Object.entries(messages.outcomes).map(([key, count]) => {
          const [outcome = '', reason = ''] = key.split(': ');
          const words = reason === '' ? outcome : `${outcome}: ${explainReason(reason)}`;
          return [
            formatCount(count),
            words === 'stored' ? span('good', 'in the database') : span('warn', words),
          ];
        }),
      ),
    ],
    `${formatAmount(messages.total, 'message')} in ${formatAmount(entries, 'entry', 'entries')}`,
  );
}
