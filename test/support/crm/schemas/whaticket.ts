import type { Sql } from '../database.js';

/** What tickets, contacts and messages of all of the family point to. */
const PARENTS = `
create extension if not exists "uuid-ossp";
create table "Users" (id serial primary key);
create table "Queues" (id serial primary key);
`;
const COMPANY_PARENTS = `
create table "Companies" (
  id serial primary key,
  name varchar(255) not null,
  "createdAt" timestamptz not null,
  "updatedAt" timestamptz not null
);
create table "QueueOptions" (id serial primary key);
create table "TicketTraking" (id serial primary key);
`;

const WHATSAPP_COLUMNS = `
  id serial primary key,
  name varchar(255) not null,
  session text,
  qrcode text,
  status varchar(255),
  battery varchar(255),
  plugged boolean,
  retries integer not null default 0,
  "greetingMessage" text,
  "farewellMessage" text,
  "isDefault" boolean not null default false,
  "createdAt" timestamptz(6) not null,
  "updatedAt" timestamptz(6) not null`;

const CONTACT_COLUMNS = `
  id serial primary key,
  name varchar(255) not null,
  number varchar(255) not null,
  "profilePicUrl" text,
  email varchar(255) not null default '',
  "isGroup" boolean not null default false,
  "createdAt" timestamptz(6) not null,
  "updatedAt" timestamptz(6) not null`;

const TICKET_COLUMNS = `
  id serial primary key,
  status varchar(255) not null default 'pending',
  "lastMessage" text,
  "contactId" integer references "Contacts" (id) on update cascade on delete cascade,
  "userId" integer references "Users" (id) on update cascade on delete set null,
  "whatsappId" integer references "Whatsapps" (id) on update cascade on delete set null,
  "queueId" integer references "Queues" (id) on update cascade on delete set null,
  "isGroup" boolean not null default false,
  "unreadMessages" integer,
  "createdAt" timestamptz(6) not null,
  "updatedAt" timestamptz(6) not null`;

const MESSAGE_COLUMNS = `
  body text not null,
  ack integer not null default 0,
  read boolean not null default false,
  "mediaType" varchar(255),
  "mediaUrl" varchar(255),
  "ticketId" integer not null references "Tickets" (id) on update cascade on delete cascade,
  "contactId" integer references "Contacts" (id) on update cascade on delete cascade,
  "fromMe" boolean not null default false,
  "isDeleted" boolean not null default false,
  "createdAt" timestamptz(6) not null,
  "updatedAt" timestamptz(6) not null`;

const COMPANY = `"companyId" integer references "Companies" (id) on update cascade on delete cascade`;

const OLD_MESSAGES = `
create table "OldMessages" (
  id serial primary key,
  "messageId" varchar(255) not null,
  body text not null,
  "ticketId" integer references "Tickets" (id) on update cascade on delete set null,
  "createdAt" timestamptz(6) not null,
  "updatedAt" timestamptz(6) not null
);
`;

const LID_MAPS = `
create table "WhatsappLidMaps" (
  id serial primary key,
  lid varchar(255) not null,
  "companyId" integer not null,
  "contactId" integer not null references "Contacts" (id) on update cascade on delete cascade,
  "createdAt" timestamptz not null,
  "updatedAt" timestamptz not null,
  constraint "unique_lid_companyId" unique (lid, "companyId")
);
create index on "WhatsappLidMaps" (lid);
create index on "WhatsappLidMaps" ("companyId");
`;

/** ticketz of August 2026: several companies, and a message's key is its id with its ticket. */
const TICKETZ = `
${PARENTS}${COMPANY_PARENTS}
create table "Whatsapps" (${WHATSAPP_COLUMNS},
  ${COMPANY},
  channel text default 'whatsapp',
  "tokenMeta" text,
  token varchar(255),
  provider varchar(255) default 'stable'
);
create unique index on "Whatsapps" (name, "companyId");
create table "Contacts" (${CONTACT_COLUMNS},
  ${COMPANY},
  channel text default 'whatsapp',
  "disableBot" boolean not null default false,
  presence varchar(255) default 'available',
  "profileHiresPictureUrl" text,
  constraint "number_companyid_unique" unique (number, "companyId")
);
create table "Tickets" (${TICKET_COLUMNS},
  ${COMPANY},
  uuid uuid default uuid_generate_v4(),
  channel text default 'whatsapp',
  chatbot boolean default false,
  "queueOptionId" integer references "QueueOptions" (id) on update cascade on delete set null
);
create index on "Tickets" ("contactId", "whatsappId");
create index on "Tickets" ("createdAt");
create index on "Tickets" ("updatedAt");
create table "Messages" (
  id varchar(255) not null,${MESSAGE_COLUMNS},
  "quotedMsgId" varchar(255),
  ${COMPANY},
  "remoteJid" text,
  participant text,
  "dataJson" text,
  channel text default 'whatsapp',
  error jsonb,
  "thumbnailUrl" varchar(255),
  "isEdited" boolean not null default false,
  "queueId" integer references "Queues" (id) on update cascade on delete set null,
  "userId" integer references "Users" (id) on update cascade on delete set null,
  constraint "Messges_id_ticketId_pk" primary key (id, "ticketId")
);
create index on "Messages" ("companyId", "contactId");
create index on "Messages" ("ticketId", "companyId");
create index on "Messages" (id, "fromMe");
create index on "Messages" ("quotedMsgId");
create index on "Messages" ("createdAt");
create index on "Messages" ("updatedAt");
${OLD_MESSAGES}${LID_MAPS}`;

export async function createTicketz(sql: Sql): Promise<void> {
  await sql(TICKETZ);
}

/** A fork with `wid`, as sold by many in 2025: WhatsApp's id beside a number of its own, and not unique. */
const WID = `
${PARENTS}${COMPANY_PARENTS}
create table "Whatsapps" (${WHATSAPP_COLUMNS},
  ${COMPANY},
  channel text default 'whatsapp',
  number varchar(255),
  "tokenMeta" text,
  token varchar(255),
  provider varchar(255) default 'stable'
);
create unique index on "Whatsapps" (name, "companyId");
create table "Contacts" (${CONTACT_COLUMNS},
  ${COMPANY},
  channel text default 'whatsapp',
  "remoteJid" varchar(255),
  lid varchar(255),
  active boolean default true,
  "whatsappId" integer references "Whatsapps" (id) on update cascade on delete set null,
  constraint "number_companyid_unique" unique (number, "companyId")
);
create table "Tickets" (${TICKET_COLUMNS},
  ${COMPANY},
  uuid uuid default uuid_generate_v4(),
  channel text default 'whatsapp',
  "fromMe" boolean not null default false,
  "isBot" boolean default false,
  imported timestamptz,
  "amountUsedBotQueues" integer not null default 0,
  "amountUsedBotQueuesNPS" integer not null default 0,
  "maxUseInactiveTime" integer not null default 0
);
create index on "Tickets" ("contactId", "whatsappId");
create table "Messages" (
  id serial primary key,
  wid varchar(255),${MESSAGE_COLUMNS},
  "quotedMsgId" integer references "Messages" (id) on update cascade on delete set null,
  ${COMPANY},
  "remoteJid" text,
  participant text,
  "dataJson" text,
  channel text default 'whatsapp',
  "isPrivate" boolean not null default false,
  "isEdited" boolean not null default false,
  "isForwarded" boolean not null default false,
  "queueId" integer references "Queues" (id) on update cascade on delete set null,
  "ticketTrakingId" integer references "TicketTraking" (id) on update cascade on delete set null
);
create index "idx_messages_wid" on "Messages" (wid);
create index on "Messages" ("companyId", "ticketId");
${OLD_MESSAGES}`;

export async function createWid(sql: Sql): Promise<void> {
  await sql(WID);
}

/** whaticket-community of October 2025 on PostgreSQL: one company, WhatsApp's id is the key, and a quote must exist. */
const COMMUNITY = `
${PARENTS}
create table "Whatsapps" (${WHATSAPP_COLUMNS});
create unique index on "Whatsapps" (name);
create table "Contacts" (${CONTACT_COLUMNS},
  unique (number)
);
create table "Tickets" (${TICKET_COLUMNS}
);
create table "Messages" (
  id varchar(255) primary key,${MESSAGE_COLUMNS},
  "quotedMsgId" varchar(255) references "Messages" (id) on update cascade on delete set null
);
`;

export async function createWhaticket(sql: Sql): Promise<void> {
  await sql(COMMUNITY);
}
