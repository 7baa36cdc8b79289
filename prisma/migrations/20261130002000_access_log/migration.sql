-- Who has looked at whose messages: one row per command and person. It names leads by id only, and without a foreign key: a
-- row stays when its lead is merged or erased.
create table access_log (
  id       uuid not null,
  at       timestamptz(3) not null,
  command  text not null,
  os_user  text not null,
  host     text not null,
  actor    text,
  lead_id  uuid,
  messages bigint not null,
  constraint access_log_pkey primary key (id)
);
create index access_log_lead_id_at_idx on access_log (lead_id, at);
create index access_log_at_idx on access_log (at);
