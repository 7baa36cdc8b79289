-- What became of each file that a message names by Meta's id. A file that nobody has asked for yet has no row.
create table media_files (
  connection_id uuid not null,
  media_id text not null,
  -- The external id of a message that names it.
  message_id text not null,
  state text not null,
  attempts integer not null,
  first_tried_at timestamptz(3) not null,
  tried_at timestamptz(3) not null,
  -- Of the file as it is kept: SHA-256 in hexadecimal, bytes, and where.
  sha256 text,
  size bigint,
  mime_type text,
  path text,
  fetched_at timestamptz(3),
  error text,
  constraint media_files_pkey primary key (connection_id, media_id),
  constraint media_files_connection_id_fkey foreign key (connection_id) references connections (id) on delete restrict on update cascade,
  constraint media_files_state_check check (state in ('owed', 'fetched', 'expired', 'denied', 'mismatch'))
);
