-- A file of history that the phone has announced and that is not in the raw log yet: it is asked for again.
create table owed_files (
  connection_id uuid           not null,
  -- The digest of the encrypted file.
  file_id       text           not null,
  -- What the phone said about it, sealed: it holds the file's key.
  notification  bytea          not null,
  -- The request that it answers; null for history that nobody asked for.
  chat_jid      text,
  anchor_id     text,
  attempts      integer        not null default 0,
  error         text,
  announced_at  timestamptz(3) not null,
  tried_at      timestamptz(3),
  constraint owed_files_pkey primary key (connection_id, file_id),
  constraint owed_files_connection_id_fkey foreign key (connection_id) references connections (id) on update cascade on delete restrict
);

-- A part of a chat that an answer left out: between the message that the phone was asked from, and the newest one that came.
create table history_gaps (
  connection_id  uuid           not null,
  chat_jid       text           not null,
  anchor_id      text           not null,
  anchor_from_me boolean        not null,
  anchor_at      timestamptz(3) not null,
  other_jid      text,
  behind_id      text           not null,
  behind_at      timestamptz(3) not null,
  reason         text           not null,
  attempts       integer        not null default 0,
  found_at       timestamptz(3) not null,
  tried_at       timestamptz(3),
  constraint history_gaps_pkey primary key (connection_id, chat_jid, anchor_id, anchor_from_me),
  constraint history_gaps_reason_check check (reason in ('file', 'chunk', 'short')),
  constraint history_gaps_connection_id_fkey foreign key (connection_id) references connections (id) on update cascade on delete restrict
);
