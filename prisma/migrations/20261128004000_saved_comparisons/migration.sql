-- CRMs that reconcile compares every night (compare --save NAME).
create table saved_comparisons (
  name text not null,
  crm text not null,
  -- Its URL, sealed: it holds a password.
  url bytea not null,
  -- Which connection is which instance of the CRM, and the table of `table`.
  options jsonb not null,
  created_at timestamptz(3) not null default current_timestamp,
  compared_at timestamptz(3),
  -- Why the last comparison failed; null when it did not.
  error text,
  -- What the last one that ended found.
  result jsonb,
  constraint saved_comparisons_pkey primary key (name),
  constraint saved_comparisons_crm_check check (crm in ('evolution', 'chatwoot', 'ticketz', 'whaticket', 'whatrack', 'table'))
);
