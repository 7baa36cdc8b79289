-- The foundation: everything that replay writes, and the rooms that dedupe, import and undo will use.
-- Ids that come from outside are compared byte for byte (collate "C"): faster, and no locale can make two of them equal.

create table organizations (
  id         uuid primary key,
  slug       text not null,
  name       text not null,
  created_at timestamptz(3) not null default current_timestamp
);
create unique index organizations_slug_key on organizations (slug);

-- A `default` organization always exists.
insert into organizations (id, slug, name) values ('00000000-0000-7000-8000-000000000001', 'default', 'Default');

create table connections (
  id                        uuid primary key,
  organization_id           uuid not null,
  name                      text not null,
  kind                      text not null,
  phone_number_id           text,
  waba_id                   text,
  display_phone_number      text,
  webhook_activated_at      timestamptz(3),
  last_sync_at              timestamptz(3),
  last_live_event_at        timestamptz(3),
  history_sync_status       text not null,
  history_sync_started_at   timestamptz(3),
  history_sync_completed_at timestamptz(3),
  history_sync_progress     integer,
  history_sync_phase        integer,
  history_sync_chunk_order  integer,
  history_sync_error        text,
  created_at                timestamptz(3) not null default current_timestamp,
  constraint connections_organization_id_fkey foreign key (organization_id) references organizations (id) on update cascade on delete restrict,
  constraint connections_kind_check check (kind in ('coexistence', 'cloud_api', 'baileys')),
  constraint connections_history_sync_status_check check (history_sync_status in
    ('not_supported', 'pending_consent', 'pending_history', 'syncing', 'failed', 'declined', 'completed'))
);
create unique index connections_phone_number_id_key on connections (phone_number_id);
create unique index connections_organization_id_name_key on connections (organization_id, name);

create table leads (
  id              uuid primary key,
  organization_id uuid not null,
  phone_number    text,
  push_name       text,
  username        text,
  source          text not null,
  first_seen_at   timestamptz(3) not null,
  is_active       boolean not null default true,
  deleted_at      timestamptz(3),
  last_message_at timestamptz(3),
  last_synced_at  timestamptz(3),
  created_at      timestamptz(3) not null default current_timestamp,
  constraint leads_organization_id_fkey foreign key (organization_id) references organizations (id) on update cascade on delete restrict,
  constraint leads_source_check check (source in ('direct_creation', 'live_message', 'history_sync', 'state_sync')),
  constraint leads_phone_number_check check (phone_number ~ '^\+[0-9]{4,15}$')
);
create unique index leads_organization_id_phone_number_key on leads (organization_id, phone_number);

create table lead_identities (
  organization_id uuid not null,
  kind            text not null,
  value           text collate "C" not null,
  person_id       uuid not null,
  lead_id         uuid,
  first_seen_at   timestamptz(3),
  profile_name    text,
  profile_name_at timestamptz(3),
  username        text,
  username_at     timestamptz(3),
  book_name       text,
  book_name_at    timestamptz(3),
  book_state      text,
  book_state_at   timestamptz(3),
  book_first_at   timestamptz(3),
  live_first_at   timestamptz(3),
  constraint lead_identities_pkey primary key (organization_id, kind, value),
  constraint lead_identities_organization_id_fkey foreign key (organization_id) references organizations (id) on update cascade on delete restrict,
  constraint lead_identities_lead_id_fkey foreign key (lead_id) references leads (id) on update cascade on delete set null,
  constraint lead_identities_kind_check check (kind in ('phone', 'wa_id', 'lid', 'bsuid')),
  constraint lead_identities_book_state_check check (book_state in ('added', 'removed')),
  -- The lead of a person has the person's id: one lookup answers both.
  constraint lead_identities_person_check check (lead_id is null or lead_id = person_id)
);
create index lead_identities_person_id_idx on lead_identities (person_id);
-- For the foreign key: without it, every lead that a merge removes costs a scan of all identities.
create index lead_identities_lead_id_idx on lead_identities (lead_id);

create table conversations (
  id                   uuid primary key,
  connection_id        uuid not null,
  lead_id              uuid not null,
  first_message_at     timestamptz(3),
  first_message_source text,
  last_message_at      timestamptz(3),
  created_at           timestamptz(3) not null default current_timestamp,
  constraint conversations_connection_id_fkey foreign key (connection_id) references connections (id) on update cascade on delete restrict,
  constraint conversations_lead_id_fkey foreign key (lead_id) references leads (id) on update cascade on delete restrict,
  constraint conversations_first_message_source_check check (first_message_source in ('app_echo', 'history', 'live'))
);
create unique index conversations_lead_id_connection_id_key on conversations (lead_id, connection_id);
-- The target of messages' foreign key: a message's connection and lead cannot disagree with its conversation's.
create unique index conversations_id_connection_id_lead_id_key on conversations (id, connection_id, lead_id);
create index conversations_connection_id_idx on conversations (connection_id);

create table messages (
  -- Fixed widths first, the widest alignment before the narrower: no padding in a table of millions.
  timestamp           timestamptz(3) not null,
  edited_at           timestamptz(3),
  deleted_at          timestamptz(3),
  meta_confirmed_at   timestamptz(3),
  evidence            integer not null,
  is_sync_initial     boolean not null,
  id                  uuid primary key,
  connection_id       uuid not null,
  conversation_id     uuid not null,
  lead_id             uuid not null,
  batch_id            uuid,
  run_id              uuid,
  external_id         text collate "C",
  stanza_id           text collate "C",
  direction           text not null,
  type                text not null,
  status              text,
  history_status      text,
  source              text not null,
  sync_source         text not null,
  body                text,
  media               jsonb,
  context_external_id text,
  edit_external_id    text,
  raw_meta            jsonb,
  constraint messages_conversation_id_connection_id_lead_id_fkey foreign key (conversation_id, connection_id, lead_id)
    references conversations (id, connection_id, lead_id) on update cascade on delete restrict,
  constraint messages_direction_check check (direction in ('INBOUND', 'OUTBOUND')),
  constraint messages_status_check check (status in ('pending', 'sent', 'failed', 'delivered', 'read', 'played')),
  constraint messages_history_status_check check (history_status in ('pending', 'sent', 'failed', 'delivered', 'read', 'played')),
  constraint messages_source_check check (source in ('app_echo', 'history', 'live')),
  constraint messages_sync_source_check check (sync_source in ('batch_recover', 'manual_sync', 'webhook'))
);
-- Rule M1: what makes a second copy impossible, whoever writes it.
create unique index messages_connection_id_external_id_key on messages (connection_id, external_id);
create index messages_conversation_id_timestamp_idx on messages (conversation_id, timestamp);
-- Rule M10 and amendments that name WhatsApp Web's key id: equality only, so a hash, a third of a b-tree's size.
create index messages_stanza_id_idx on messages using hash (stanza_id);

create table message_revisions (
  message_id uuid not null,
  version    text collate "C" not null,
  type       text not null,
  body       text,
  media      jsonb,
  raw_meta   jsonb,
  at         timestamptz(3) not null,
  created_at timestamptz(3) not null default current_timestamp,
  constraint message_revisions_pkey primary key (message_id, version),
  constraint message_revisions_message_id_fkey foreign key (message_id) references messages (id) on update cascade on delete cascade
);

create table message_reactions (
  connection_id      uuid not null,
  target_external_id text collate "C" not null,
  reactor            text not null,
  emoji              text,
  at                 timestamptz(3) not null,
  created_at         timestamptz(3) not null default current_timestamp,
  constraint message_reactions_pkey primary key (connection_id, target_external_id, reactor)
);

create table pending_facts (
  connection_id      uuid not null,
  target_external_id text collate "C" not null,
  kind               text not null,
  fact_key           text not null,
  at                 timestamptz(3) not null,
  payload            jsonb not null,
  webhook_log_id     uuid,
  created_at         timestamptz(3) not null default current_timestamp,
  constraint pending_facts_pkey primary key (connection_id, target_external_id, kind, fact_key),
  constraint pending_facts_connection_id_fkey foreign key (connection_id) references connections (id) on update cascade on delete restrict,
  constraint pending_facts_kind_check check (kind in ('status', 'edit', 'revoke', 'reaction'))
);

create table tickets (
  id                        uuid primary key,
  conversation_id           uuid not null,
  lead_id                   uuid not null,
  source                    text not null,
  originated_from           text not null,
  stage                     text not null default 'new',
  status                    text not null default 'open',
  message_window_expires_at timestamptz(3),
  opened_by_external_id     text,
  opened_at                 timestamptz(3) not null,
  last_inbound_at           timestamptz(3),
  closed_at                 timestamptz(3),
  created_at                timestamptz(3) not null default current_timestamp,
  constraint tickets_conversation_id_fkey foreign key (conversation_id) references conversations (id) on update cascade on delete restrict,
  constraint tickets_lead_id_fkey foreign key (lead_id) references leads (id) on update cascade on delete restrict,
  constraint tickets_source_check check (source in ('incoming_message', 'api', 'manual')),
  constraint tickets_originated_from_check check (originated_from in ('new_contact', 'history_lead', 'existing')),
  constraint tickets_status_check check (status in ('open', 'closed')),
  constraint tickets_closed_at_check check ((status = 'closed') = (closed_at is not null))
);
create index tickets_conversation_id_idx on tickets (conversation_id);
create index tickets_lead_id_idx on tickets (lead_id);
-- At most one open ticket per conversation.
create unique index tickets_one_open_per_conversation on tickets (conversation_id) where status = 'open';

create table webhook_log (
  id               uuid primary key,
  connection_scope uuid not null default '00000000-0000-0000-0000-000000000000',
  sha256           bytea not null,
  provider         text not null,
  raw_body         bytea not null,
  fields           text[],
  phone_number_ids text[],
  chat_ids         text[],
  received_at      timestamptz(3),
  status           text not null,
  attempts         integer not null default 0,
  error            text,
  origin           text,
  counters         jsonb,
  run_id           uuid,
  created_at       timestamptz(3) not null default current_timestamp,
  processed_at     timestamptz(3),
  constraint webhook_log_provider_check check (provider in ('meta', 'baileys')),
  constraint webhook_log_status_check check (status in ('pending', 'processed', 'partial', 'failed', 'unrecognized', 'ignored'))
);
create unique index webhook_log_connection_scope_sha256_key on webhook_log (connection_scope, sha256);
create index webhook_log_chat_ids_idx on webhook_log using gin (chat_ids);
-- What is left to do, without an index entry for each of the millions that are done.
create index webhook_log_unfinished on webhook_log (id) where status in ('pending', 'failed');

create table history_chunks (
  connection_id  uuid not null,
  phase          integer not null,
  chunk_order    integer not null,
  progress       integer,
  messages       integer not null,
  received_at    timestamptz(3),
  processed_at   timestamptz(3) not null,
  webhook_log_id uuid,
  constraint history_chunks_pkey primary key (connection_id, phase, chunk_order),
  constraint history_chunks_connection_id_fkey foreign key (connection_id) references connections (id) on update cascade on delete restrict
);

create table sync_runs (
  id           uuid primary key,
  command      text not null,
  options      jsonb not null,
  status       text not null,
  counters     jsonb,
  verdict      text,
  host         text not null,
  pid          integer not null,
  checkpoint   jsonb,
  started_at   timestamptz(3) not null,
  completed_at timestamptz(3),
  error        text,
  constraint sync_runs_status_check check (status in ('running', 'completed', 'partial', 'failed', 'interrupted'))
);
create index sync_runs_command_started_at_idx on sync_runs (command, started_at);

create table sync_logs (
  id                uuid primary key,
  run_id            uuid not null,
  connection_id     uuid not null,
  lead_id           uuid,
  sync_type         text not null,
  messages_imported integer not null default 0,
  counters          jsonb,
  status            text not null,
  error_message     text,
  started_at        timestamptz(3) not null,
  completed_at      timestamptz(3),
  constraint sync_logs_run_id_fkey foreign key (run_id) references sync_runs (id) on update cascade on delete restrict,
  constraint sync_logs_connection_id_fkey foreign key (connection_id) references connections (id) on update cascade on delete restrict,
  constraint sync_logs_lead_id_fkey foreign key (lead_id) references leads (id) on update cascade on delete set null,
  constraint sync_logs_sync_type_check check (sync_type in ('initial_contact', 'manual_recovery', 'batch')),
  constraint sync_logs_status_check check (status in ('running', 'completed', 'partial', 'failed', 'interrupted'))
);
create index sync_logs_run_id_lead_id_idx on sync_logs (run_id, lead_id);
create index sync_logs_connection_id_started_at_idx on sync_logs (connection_id, started_at);
create index sync_logs_lead_id_idx on sync_logs (lead_id);

create table rejects (
  id             uuid primary key,
  run_id         uuid not null,
  webhook_log_id uuid not null,
  connection_id  uuid,
  path           text not null,
  subject        text not null,
  reason         text not null,
  external_id    text collate "C",
  excerpt        text not null,
  created_at     timestamptz(3) not null default current_timestamp
);
-- The same item rejected again is the same reject.
create unique index rejects_webhook_log_id_path_reason_key on rejects (webhook_log_id, path, reason);
create index rejects_connection_id_external_id_idx on rejects (connection_id, external_id);

create table change_journal (
  id         bigserial primary key,
  run_id     uuid not null,
  table_name text not null,
  key        jsonb not null,
  before     jsonb,
  after      jsonb,
  created_at timestamptz(3) not null default current_timestamp
);
create index change_journal_run_id_id_idx on change_journal (run_id, id);

create table linked_devices (
  connection_id uuid primary key,
  account_id    text not null,
  credentials   bytea not null,
  created_at    timestamptz(3) not null default current_timestamp,
  updated_at    timestamptz(3) not null,
  constraint linked_devices_connection_id_fkey foreign key (connection_id) references connections (id) on update cascade on delete restrict
);
create unique index linked_devices_account_id_key on linked_devices (account_id);

create table linked_device_keys (
  connection_id uuid not null,
  type          text not null,
  key_id        text not null,
  value         bytea not null,
  constraint linked_device_keys_pkey primary key (connection_id, type, key_id),
  constraint linked_device_keys_connection_id_fkey foreign key (connection_id) references connections (id) on update cascade on delete restrict
);
