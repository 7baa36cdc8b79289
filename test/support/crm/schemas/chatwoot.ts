import type { Sql } from '../database.js';

/**
 * Chatwoot of August 2025 as Rails creates it: no foreign keys between these tables but that of portals, display ids from a
 * sequence per account by triggers, and the indexes that a bulk insert has to pay for.
 */
const TABLES = `
create extension if not exists pg_trgm;
create extension if not exists pgcrypto;

create table accounts (
  id serial primary key,
  name varchar not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  locale integer default 0,
  domain varchar(100),
  support_email varchar(100),
  feature_flags bigint not null default 0,
  auto_resolve_duration integer,
  limits jsonb default '{}',
  custom_attributes jsonb default '{}',
  status integer default 0,
  internal_attributes jsonb not null default '{}',
  settings jsonb default '{}'
);
create index on accounts (status);

create table portals (id bigserial primary key);

create table inboxes (
  id serial primary key,
  channel_id integer not null,
  account_id integer not null,
  name varchar not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  channel_type varchar,
  enable_auto_assignment boolean default true,
  greeting_enabled boolean default false,
  greeting_message varchar,
  email_address varchar,
  working_hours_enabled boolean default false,
  out_of_office_message varchar,
  timezone varchar default 'UTC',
  enable_email_collect boolean default true,
  csat_survey_enabled boolean default false,
  allow_messages_after_resolved boolean default true,
  auto_assignment_config jsonb default '{}',
  lock_to_single_conversation boolean not null default false,
  portal_id bigint references portals (id),
  sender_name_type integer not null default 0,
  business_name varchar,
  csat_config jsonb not null default '{}'
);
create index on inboxes (account_id);
create index on inboxes (channel_id, channel_type);

create table channel_whatsapp (
  id bigserial primary key,
  account_id integer not null,
  phone_number varchar not null,
  provider varchar default 'default',
  provider_config jsonb default '{}',
  created_at timestamp(6) not null,
  updated_at timestamp(6) not null,
  message_templates jsonb default '{}',
  message_templates_last_updated timestamp
);
create unique index on channel_whatsapp (phone_number);

create table channel_api (
  id bigserial primary key,
  account_id integer not null,
  webhook_url varchar,
  created_at timestamp(6) not null,
  updated_at timestamp(6) not null,
  identifier varchar,
  hmac_token varchar,
  hmac_mandatory boolean default false,
  additional_attributes jsonb default '{}'
);
create unique index on channel_api (hmac_token);
create unique index on channel_api (identifier);

create table contacts (
  id serial primary key,
  name varchar default '',
  email varchar,
  phone_number varchar,
  account_id integer not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  additional_attributes jsonb default '{}',
  identifier varchar,
  custom_attributes jsonb default '{}',
  last_activity_at timestamp,
  contact_type integer default 0,
  middle_name varchar default '',
  last_name varchar default '',
  location varchar default '',
  country_code varchar default '',
  blocked boolean not null default false
);
create index on contacts (lower(email::text), account_id);
create index on contacts (account_id, contact_type);
create index on contacts (account_id, last_activity_at desc nulls last);
create index on contacts (account_id);
create unique index uniq_email_per_account_contact on contacts (email, account_id);
create unique index uniq_identifier_per_account_contact on contacts (identifier, account_id);
create index on contacts
  using gin (name gin_trgm_ops, email gin_trgm_ops, phone_number gin_trgm_ops, identifier gin_trgm_ops);
create index on contacts (phone_number, account_id);

create table contact_inboxes (
  id bigserial primary key,
  contact_id bigint,
  inbox_id bigint,
  source_id varchar not null,
  created_at timestamp(6) not null,
  updated_at timestamp(6) not null,
  hmac_verified boolean default false,
  pubsub_token varchar
);
create index on contact_inboxes (contact_id);
create unique index on contact_inboxes (inbox_id, source_id);
create index on contact_inboxes (inbox_id);
create unique index on contact_inboxes (pubsub_token);
create index on contact_inboxes (source_id);

create table conversations (
  id serial primary key,
  account_id integer not null,
  inbox_id integer not null,
  status integer not null default 0,
  assignee_id integer,
  created_at timestamp not null,
  updated_at timestamp not null,
  contact_id bigint,
  display_id integer not null,
  contact_last_seen_at timestamp,
  agent_last_seen_at timestamp,
  additional_attributes jsonb default '{}',
  contact_inbox_id bigint,
  uuid uuid not null default gen_random_uuid(),
  identifier varchar,
  last_activity_at timestamp not null default current_timestamp,
  team_id bigint,
  campaign_id bigint,
  snoozed_until timestamp,
  custom_attributes jsonb default '{}',
  assignee_last_seen_at timestamp,
  first_reply_created_at timestamp,
  priority integer,
  sla_policy_id bigint,
  waiting_since timestamp(6),
  cached_label_list text
);
create unique index on conversations (account_id, display_id);
create index on conversations (account_id, id);
create index on conversations (account_id, inbox_id, status, assignee_id);
create index on conversations (assignee_id, account_id);
create index on conversations (contact_id);
create index on conversations (contact_inbox_id);
create index on conversations (first_reply_created_at);
create index on conversations (inbox_id);
create index on conversations (status, account_id);
create unique index on conversations (uuid);
create index on conversations (waiting_since);

create table messages (
  id serial primary key,
  content text,
  account_id integer not null,
  inbox_id integer not null,
  conversation_id integer not null,
  message_type integer not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  private boolean not null default false,
  status integer default 0,
  source_id varchar,
  content_type integer not null default 0,
  content_attributes json default '{}',
  sender_type varchar,
  sender_id bigint,
  external_source_ids jsonb default '{}',
  additional_attributes jsonb default '{}',
  processed_message_content text,
  sentiment jsonb default '{}'
);
create index on messages using gin ((additional_attributes -> 'campaign_id'));
create index on messages (account_id, content_type, created_at);
create index on messages (account_id, created_at, message_type);
create index on messages (account_id, inbox_id);
create index on messages (account_id);
create index on messages using gin (content gin_trgm_ops);
create index on messages (conversation_id, account_id, message_type, created_at);
create index on messages (conversation_id);
create index on messages (created_at);
create index on messages (inbox_id);
create index on messages (sender_type, sender_id);
create index on messages (source_id);

create table attachments (
  id serial primary key,
  file_type integer default 0,
  external_url varchar,
  coordinates_lat double precision default 0.0,
  coordinates_long double precision default 0.0,
  message_id integer not null,
  account_id integer not null,
  created_at timestamp not null,
  updated_at timestamp not null,
  fallback_title varchar,
  extension varchar,
  meta jsonb default '{}'
);
create index on attachments (account_id);
create index on attachments (message_id);

create function accounts_after_insert_row_tr() returns trigger language plpgsql as $$
begin
  execute format('create sequence if not exists conv_dpid_seq_%s', new.id);
  return null;
end $$;
create trigger accounts_after_insert_row_tr after insert on accounts
  for each row execute function accounts_after_insert_row_tr();

create function conversations_before_insert_row_tr() returns trigger language plpgsql as $$
begin
  new.display_id := nextval('conv_dpid_seq_' || new.account_id);
  return new;
end $$;
create trigger conversations_before_insert_row_tr before insert on conversations
  for each row execute function conversations_before_insert_row_tr();
`;

export async function createChatwoot(sql: Sql): Promise<void> {
  await sql(TABLES);
}
