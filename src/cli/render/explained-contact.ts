import type {
  ContactExplanation,
  ConversationExplanation,
  TicketExplanation,
} from '../../core/explain/result.js';
import { clock, explainReason } from './explained-facts.js';
import { fieldLines, journalSection } from './explained-lines.js';
import type { Look } from './look.js';
import { formatAmount, formatCount } from './quantities.js';
import { sanitize, truncate } from './sanitize.js';
import { renderTable } from './table.js';

const INDENT = '  ';

/** Who it is, what linked their names, and what the database holds of them. */
export async function contactSections(contact: ContactExplanation, look: Look): Promise<string[]> {
  return [
    leadSection(contact, look),
    namesSection(contact, look),
    journalSection('Merges', contact.merges, look),
    await conversationsSection(contact.conversations, look),
    ticketsSection(contact.tickets, look),
    logSection(contact, look),
  ];
}

function leadSection({ lead, names }: ContactExplanation, look: Look): string {
  if (lead === null) {
    if (names.length === 0) return '';
    return fieldLines(
      'Contact',
      [
        ['no lead', 'nothing made one: no message, address-book entry or reaction'],
        ['known as', names.join(', ')],
      ],
      look,
    );
  }
  const because = lead.sourceBecause;
  return fieldLines(
    'Lead',
    [
      ['name', lead.name ?? ''],
      ['username', lead.username ?? ''],
      ['phone', lead.phone ?? 'not known'],
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
      [
        'address book',
        lead.isActive
          ? ''
          : `removed${lead.deletedAt === null ? '' : ` on ${clock(lead.deletedAt)}`}; the lead stays`,
      ],
    ],
    look,
  );
}

function namesSection({ identities }: ContactExplanation, look: Look): string {
  if (identities.length < 2) return '';
  const width = Math.max(...identities.map(({ value }) => value.length));
  return [
    look.bold('Names'),
    ...identities.map(({ kind, value, linkedBy }) => {
      const link =
        linkedBy === null
          ? ''
          : `linked to ${sanitize(linkedBy.to)} by ${look.cyan(sanitize(linkedBy.origin))} (${sanitize(linkedBy.kind.replaceAll('_', ' '))})`;
      return `${INDENT}${look.dim(kind.padEnd(7))}${sanitize(value).padEnd(width + 2)}${link}`.trimEnd();
    }),
  ].join('\n');
}

async function conversationsSection(
  conversations: readonly ConversationExplanation[],
  look: Look,
): Promise<string> {
  if (conversations.length === 0) return '';
  const table = await renderTable(
    [
      { heading: 'conversation on' },
      { heading: 'messages', align: 'right' },
      { heading: 'in', align: 'right' },
      { heading: 'out', align: 'right' },
      { heading: 'live', align: 'right' },
      { heading: 'history', align: 'right' },
      { heading: 'echo', align: 'right' },
      { heading: 'first' },
      { heading: 'last (UTC)' },
    ],
    conversations.map((one) => [
      look.bold(truncate(sanitize(one.connection), 24)),
      formatCount(one.messages),
      formatCount(one.inbound),
      formatCount(one.outbound),
      formatCount(one.live),
      formatCount(one.fromHistory),
      formatCount(one.echoes),
      one.firstMessageAt?.slice(0, 10) ?? '–',
      one.lastMessageAt === null ? '–' : clock(one.lastMessageAt).slice(0, 16),
    ]),
    look,
    INDENT,
  );
  const remarks = conversations.flatMap((one) => [
    ...historyRemarks(one),
    ...(one.fromElsewhere === 0
      ? []
      : [
          `${one.connection}: no raw entry brought ${formatAmount(one.fromElsewhere, 'message')}; another program did`,
        ]),
  ]);
  return [
    look.bold('Conversations'),
    table,
    ...remarks.map((remark) => `${INDENT}${look.yellow(sanitize(remark))}`),
  ].join('\n');
}

/** Why a conversation may lack its past. */
function historyRemarks({ connection, history, missingChunks }: ConversationExplanation): string[] {
  const remarks: string[] = [];
  if (missingChunks.length > 0) {
    const shown = missingChunks.slice(0, 5).join(', ');
    const more = missingChunks.length > 5 ? ', …' : '';
    remarks.push(`${connection}: history chunks ${shown}${more} (phase/order) never came`);
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
      remarks.push(`${connection}: its history has not come yet`);
      break;
    case 'syncing':
      remarks.push(`${connection}: its history sync has not come to its end`);
      break;
    case 'not_supported':
    case 'completed':
      break;
  }
  return remarks;
}

function ticketsSection(tickets: readonly TicketExplanation[], look: Look): string {
  if (tickets.length === 0) return '';
  return [
    look.bold(`Tickets (${tickets.length})`),
    ...tickets.flatMap((ticket) => {
      const closed = ticket.closedAt === null ? '' : `, closed ${clock(ticket.closedAt)}`;
      const opener =
        ticket.openedByExternalId === null
          ? `opened by ${ticket.source === 'manual' ? 'a person' : ticket.source}`
          : `opened by the live message ${ticket.openedByExternalId}`;
      const entry = ticket.openedByEntry === null ? '' : `  ${ticket.openedByEntry}`;
      return [
        `${INDENT}${look.dim(clock(ticket.openedAt))}  ${sanitize(ticket.status)}${sanitize(closed)}  ${sanitize(ORIGINS[ticket.originatedFrom])}`,
        `${INDENT}${INDENT}${sanitize(opener)}${look.cyan(sanitize(entry))}`,
        `${INDENT}${INDENT}${look.dim(windowWords(ticket))}`,
      ];
    }),
  ].join('\n');
}

const ORIGINS = {
  new_contact: 'new_contact: their first ticket',
  history_lead: 'history_lead: the history knew them first',
  existing: 'existing: they had a ticket before, or were known by the address book',
} as const;

function windowWords({ messageWindowExpiresAt, originatedFrom }: TicketExplanation): string {
  if (messageWindowExpiresAt !== null) return `message window until ${clock(messageWindowExpiresAt)}`;
  return originatedFrom === 'history_lead'
    ? 'no message window: the lead came by history'
    : 'no message window';
}

/** What became of the contact's messages, each counted once. */
function logSection({ messages, entries }: ContactExplanation, look: Look): string {
  if (messages.total === 0) return '';
  return [
    `${look.bold('In the raw log')}  ${formatAmount(messages.total, 'message')} in ${formatAmount(entries, 'entry', 'entries')}`,
    ...Object.entries(messages.outcomes).map(([key, count]) => {
      const [outcome = '', reason = ''] = key.split(': ');
      const words = reason === '' ? outcome : `${outcome}: ${explainReason(reason)}`;
      return `${INDENT}${formatCount(count).padStart(7)}  ${words === 'stored' ? look.green('in the database') : look.yellow(sanitize(words))}`;
    }),
  ].join('\n');
}
