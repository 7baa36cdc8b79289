-- People who were erased. Nothing here names them: what is left of a name is its hash, under a key that is sealed with the secret key.
create table erasures (
  id           uuid not null,
  run_id       uuid not null,
  started_at   timestamptz(3) not null,
  -- Null while some of it is still to be done.
  completed_at timestamptz(3),
  -- Rows that are gone, by table.
  counts       jsonb not null,
  constraint erasures_pkey primary key (id)
);

create table erased_identities (
  name_hash  text not null,
  erasure_id uuid not null,
  constraint erased_identities_pkey primary key (name_hash),
  constraint erased_identities_erasure_id_fkey foreign key (erasure_id) references erasures (id) on delete cascade on update cascade
);
create index erased_identities_erasure_id_idx on erased_identities (erasure_id);

-- The key of the hashes, sealed with the secret key, so that another secret key can take over. One row.
create table erasure_keys (
  name   text not null,
  sealed bytea not null,
  constraint erasure_keys_pkey primary key (name)
);
