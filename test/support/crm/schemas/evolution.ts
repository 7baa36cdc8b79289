import type { Sql } from '../database.js';

/** Evolution API 2.3.7, as its migrations leave PostgreSQL; of sessions only what a foreign key needs. */
const TABLES = `
create type "InstanceConnectionStatus" as enum ('open', 'close', 'connecting');
create type "DeviceMessage" as enum ('ios', 'android', 'web', 'unknown', 'desktop');

create table "Instance" (
  "id" text primary key,
  "name" varchar(255) not null,
  "connectionStatus" "InstanceConnectionStatus" not null default 'open',
  "ownerJid" varchar(100),
  "profilePicUrl" varchar(500),
  "integration" varchar(100),
  "number" varchar(100),
  "token" varchar(255),
  "clientName" varchar(100),
  "createdAt" timestamp default current_timestamp,
  "updatedAt" timestamp,
  "profileName" varchar(100),
  "businessId" varchar(100),
  "disconnectionAt" timestamp,
  "disconnectionObject" jsonb,
  "disconnectionReasonCode" integer
);
create unique index "Instance_name_key" on "Instance" ("name");

create table "IntegrationSession" ("id" text primary key);

create table "Chat" (
  "id" text primary key,
  "remoteJid" varchar(100) not null,
  "labels" jsonb,
  "createdAt" timestamp default current_timestamp,
  "updatedAt" timestamp,
  "instanceId" text not null references "Instance" ("id") on update cascade on delete cascade,
  "name" varchar(100),
  "unreadMessages" integer not null default 0
);
create index "Chat_instanceId_idx" on "Chat" ("instanceId");
create index "Chat_remoteJid_idx" on "Chat" ("remoteJid");
create unique index "Chat_instanceId_remoteJid_key" on "Chat" ("instanceId", "remoteJid");

create table "Contact" (
  "id" text primary key,
  "remoteJid" varchar(100) not null,
  "pushName" varchar(100),
  "profilePicUrl" varchar(500),
  "createdAt" timestamp default current_timestamp,
  "updatedAt" timestamp,
  "instanceId" text not null references "Instance" ("id") on update cascade on delete cascade
);
create unique index "Contact_remoteJid_instanceId_key" on "Contact" ("remoteJid", "instanceId");
create index "Contact_remoteJid_idx" on "Contact" ("remoteJid");
create index "Contact_instanceId_idx" on "Contact" ("instanceId");

create table "Message" (
  "id" text primary key,
  "key" jsonb not null,
  "pushName" varchar(100),
  "participant" varchar(100),
  "messageType" varchar(100) not null,
  "message" jsonb not null,
  "contextInfo" jsonb,
  "source" "DeviceMessage" not null,
  "messageTimestamp" integer not null,
  "chatwootMessageId" integer,
  "chatwootInboxId" integer,
  "chatwootConversationId" integer,
  "chatwootContactInboxSourceId" varchar(100),
  "chatwootIsRead" boolean,
  "instanceId" text not null references "Instance" ("id") on update cascade on delete cascade,
  "webhookUrl" varchar(500),
  "sessionId" text references "IntegrationSession" ("id") on update cascade on delete set null,
  "status" varchar(30)
);
create index "Message_instanceId_idx" on "Message" ("instanceId");

create table "MessageUpdate" (
  "id" text primary key,
  "keyId" varchar(100) not null,
  "remoteJid" varchar(100) not null,
  "fromMe" boolean not null,
  "participant" varchar(100),
  "pollUpdates" jsonb,
  "status" varchar(30) not null,
  "messageId" text not null references "Message" ("id") on update cascade on delete cascade,
  "instanceId" text not null references "Instance" ("id") on update cascade on delete cascade
);
create index "MessageUpdate_instanceId_idx" on "MessageUpdate" ("instanceId");
create index "MessageUpdate_messageId_idx" on "MessageUpdate" ("messageId");

create table "Media" (
  "id" text primary key,
  "fileName" varchar(500) not null,
  "type" varchar(100) not null,
  "mimetype" varchar(100) not null,
  "createdAt" date default current_timestamp,
  "messageId" text not null references "Message" ("id") on update cascade on delete cascade,
  "instanceId" text not null references "Instance" ("id") on update cascade on delete cascade
);
create unique index "Media_messageId_key" on "Media" ("messageId");

create table "IsOnWhatsapp" (
  "id" text primary key,
  "remoteJid" varchar(100) not null,
  "jidOptions" text not null,
  "createdAt" timestamp not null default current_timestamp,
  "updatedAt" timestamp not null,
  "lid" varchar(100)
);
create unique index "IsOnWhatsapp_remoteJid_key" on "IsOnWhatsapp" ("remoteJid");
`;

export async function createEvolution(sql: Sql): Promise<void> {
  await sql(TABLES);
}
