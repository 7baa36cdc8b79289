import type { Sql } from '../database.js';

/** WhaTrack of May 2026, as its migrations leave PostgreSQL; of what they only point to, the key. */
const TABLES = `
create table org_organizations (id uuid primary key default gen_random_uuid());
create table crm_projects (id uuid primary key default gen_random_uuid());
create table whatsapp_connections (id uuid primary key default gen_random_uuid());
create table whatsapp_campaign_recipients (id uuid primary key default gen_random_uuid());
create table auth_user (id uuid primary key default gen_random_uuid());
create table crm_deal_stages (id uuid primary key default gen_random_uuid());
create table crm_deal_statuses (id uuid primary key default gen_random_uuid());

create table whatsapp_configs (
  "id" uuid primary key default gen_random_uuid(),
  "organizationId" uuid not null,
  "projectId" uuid not null,
  "connectionId" uuid,
  "wabaId" text,
  "phoneId" text,
  "accessToken" text,
  "displayPhone" text,
  "verifiedName" text,
  "status" text not null default 'pending',
  "authorizationCode" text,
  "accessTokenEncrypted" boolean not null default false,
  "tokenExpiresAt" timestamp(3),
  "tokenLastCheckedAt" timestamp(3),
  "tokenStatus" text,
  "connectedAt" timestamp(3),
  "disconnectedAt" timestamp(3),
  "disconnectedBy" uuid,
  "lastWebhookAt" timestamp(3),
  "processed" boolean not null default false,
  "processingError" text,
  "retryCount" integer not null default 0,
  "historySyncStatus" text,
  "historySyncStartedAt" timestamp(3),
  "historySyncCompletedAt" timestamp(3),
  "historySyncProgress" integer not null default 0,
  "historySyncPhase" integer,
  "historySyncChunkOrder" integer,
  "historySyncError" text,
  "createdAt" timestamp(3) not null default current_timestamp,
  "updatedAt" timestamp(3) not null,
  foreign key ("connectionId") references whatsapp_connections(id) on update cascade on delete cascade,
  foreign key ("organizationId") references org_organizations(id) on update cascade on delete cascade,
  foreign key ("projectId") references crm_projects(id) on update cascade on delete cascade
);
create unique index on whatsapp_configs ("phoneId");
create index on whatsapp_configs ("connectionId");
create index on whatsapp_configs ("projectId");
create index on whatsapp_configs ("organizationId", "projectId");
create index on whatsapp_configs (processed);
create index on whatsapp_configs ("historySyncStatus");

create table crm_lead_sources (
  "id" uuid primary key default gen_random_uuid(),
  "name" text not null,
  "description" text not null
);
create unique index on crm_lead_sources (name);

create table crm_leads (
  "id" uuid primary key default gen_random_uuid(),
  "organizationId" uuid not null,
  "projectId" uuid,
  "name" text,
  "mail" text,
  "phone" text,
  "remote_jid" text,
  "pushName" text,
  "profilePicUrl" text,
  "last_message_at" timestamp(3),
  "created_at" timestamp(3) not null default current_timestamp,
  "updated_at" timestamp(3) not null,
  "sourceId" uuid not null,
  "lastSyncedAt" timestamp(3),
  "isActive" boolean not null default true,
  "deletedAt" timestamp(3),
  "firstMessageAt" timestamp(3),
  "totalDeals" integer not null default 0,
  "lifetimeValue" numeric(12, 2) not null default 0,
  foreign key ("organizationId") references org_organizations(id) on update cascade on delete cascade,
  foreign key ("projectId") references crm_projects(id) on update cascade on delete set null,
  foreign key ("sourceId") references crm_lead_sources(id) on update cascade on delete restrict
);
create index on crm_leads ("organizationId");
create index on crm_leads ("organizationId", phone);
create index on crm_leads ("projectId");
create index on crm_leads ("organizationId", "projectId");
create index on crm_leads ("sourceId");
create index on crm_leads ("isActive");
create unique index on crm_leads ("organizationId", remote_jid);

create table crm_conversations (
  "id" uuid primary key default gen_random_uuid(),
  "organizationId" uuid not null,
  "projectId" uuid,
  "leadId" uuid not null,
  "instanceId" uuid not null,
  "metaConversationId" text,
  "messagesCount" integer not null default 0,
  "unreadCount" integer not null default 0,
  "inboundMessagesCount" integer not null default 0,
  "outboundMessagesCount" integer not null default 0,
  "lastInboundAt" timestamp(3),
  "lastOutboundAt" timestamp(3),
  "avgResponseTimeSec" integer,
  "firstResponseTimeSec" integer,
  "createdAt" timestamp(3) not null default current_timestamp,
  "updatedAt" timestamp(3) not null,
  foreign key ("instanceId") references whatsapp_configs(id) on update cascade on delete cascade,
  foreign key ("leadId") references crm_leads(id) on update cascade on delete cascade,
  foreign key ("organizationId") references org_organizations(id) on update cascade on delete cascade
);
create index on crm_conversations ("organizationId");
create index on crm_conversations ("projectId");
create unique index on crm_conversations ("leadId", "instanceId");

create table crm_message_directions (
  "id" uuid primary key default gen_random_uuid(),
  "name" text not null,
  "description" text not null
);
create unique index on crm_message_directions (name);

create table crm_deals (
  "id" uuid primary key default gen_random_uuid(),
  "organizationId" uuid not null,
  "projectId" uuid,
  "conversationId" uuid not null,
  "stageId" uuid not null,
  "stageEnteredAt" timestamp(3),
  "windowExpiresAt" timestamp(3),
  "windowOpen" boolean not null default true,
  "assigneeId" uuid,
  "dealValue" numeric(12, 2),
  "statusId" uuid not null,
  "closedAt" timestamp(3),
  "closedReason" text,
  "createdBy" text not null default 'SYSTEM',
  "messagesCount" integer not null default 0,
  "position" double precision not null default 0,
  "inboundMessagesCount" integer not null default 0,
  "outboundMessagesCount" integer not null default 0,
  "lastInboundAt" timestamp(3),
  "lastOutboundAt" timestamp(3),
  "firstResponseTimeSec" integer,
  "resolutionTimeSec" integer,
  "createdAt" timestamp(3) not null default current_timestamp,
  "updatedAt" timestamp(3) not null,
  "leadId" uuid not null,
  "source" text not null default 'incoming_message',
  "originatedFrom" text,
  foreign key ("assigneeId") references auth_user(id) on update cascade on delete set null,
  foreign key ("conversationId") references crm_conversations(id) on update cascade on delete cascade,
  foreign key ("organizationId") references org_organizations(id) on update cascade on delete cascade,
  foreign key ("projectId") references crm_projects(id) on update cascade on delete set null,
  foreign key ("stageId") references crm_deal_stages(id) on update cascade on delete restrict,
  foreign key ("statusId") references crm_deal_statuses(id) on update cascade on delete restrict,
  foreign key ("leadId") references crm_leads(id) on update cascade on delete cascade
);
create index on crm_deals ("organizationId");
create index on crm_deals ("projectId");
create index on crm_deals ("organizationId", "projectId");
create index on crm_deals ("conversationId");
create index on crm_deals ("statusId");
create index on crm_deals ("leadId");
create index on crm_deals ("stageId");

create table whatsapp_messages (
  "id" uuid primary key default gen_random_uuid(),
  "wamid" text not null,
  "leadId" uuid not null,
  "instanceId" uuid not null,
  "app_conversation_id" uuid,
  "dealId" uuid,
  "campaignRecipientId" uuid,
  "directionId" uuid not null,
  "type" text not null,
  "body" text,
  "mediaUrl" text,
  "status" text not null,
  "timestamp" timestamp(3) not null,
  "meta_conversation_id" text,
  "source" text not null default 'live',
  "rawMeta" jsonb,
  "createdAt" timestamp(3) not null default current_timestamp,
  "updatedAt" timestamp(3) not null,
  foreign key (app_conversation_id) references crm_conversations(id) on update cascade on delete set null,
  foreign key ("instanceId") references whatsapp_configs(id) on update cascade on delete cascade,
  foreign key ("leadId") references crm_leads(id) on update cascade on delete cascade,
  foreign key ("dealId") references crm_deals(id) on update cascade on delete set null,
  foreign key ("directionId") references crm_message_directions(id) on update cascade on delete restrict,
  foreign key ("campaignRecipientId") references whatsapp_campaign_recipients(id) on update cascade on delete set null
);
create unique index on whatsapp_messages (wamid);
create index on whatsapp_messages ("leadId");
create index on whatsapp_messages ("instanceId");
create index on whatsapp_messages (app_conversation_id);
create index on whatsapp_messages ("dealId");
create index on whatsapp_messages ("directionId");
create index on whatsapp_messages (source);
create index on whatsapp_messages ("timestamp");
create index on whatsapp_messages (meta_conversation_id);
create index on whatsapp_messages ("campaignRecipientId");

create table whatsapp_webhook_logs (
  "id" uuid primary key default gen_random_uuid(),
  "organizationId" uuid,
  "payload" jsonb not null,
  "eventType" text,
  "processed" boolean not null default false,
  "signatureValid" boolean,
  "processingError" text,
  "processedAt" timestamp(3),
  "retryCount" integer not null default 0,
  "lastRetryAt" timestamp(3),
  "createdAt" timestamp(3) not null default current_timestamp,
  foreign key ("organizationId") references org_organizations(id) on update cascade on delete cascade
);
create index on whatsapp_webhook_logs ("organizationId");
create index on whatsapp_webhook_logs (processed);
create index on whatsapp_webhook_logs ("createdAt");
create index on whatsapp_webhook_logs (processed, "createdAt");
`;

export async function createWhatrack(sql: Sql): Promise<void> {
  await sql(TABLES);
}
