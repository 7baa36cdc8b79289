-- How runs belong together, and the bytes of raw entries that were taken out.

-- Which run started this one (reconcile starts others), and which stopped run this one resumed.
alter table sync_runs add column parent_run_id uuid;
alter table sync_runs add column resumed_run_id uuid;
-- What the run was to do, in a form that is equal for runs that do the same, however it was typed.
alter table sync_runs add column work text;

-- Runs that a reconcile started: the same process, recorded after it and before it ended.
update sync_runs child set parent_run_id = parent.id
from sync_runs parent
where parent.command = 'reconcile' and child.command in ('replay', 'dedupe', 'verify')
  and child.host = parent.host and child.pid = parent.pid and child.started_at >= parent.started_at
  and child.started_at <= coalesce(parent.completed_at, child.started_at)
  and not exists (
    select from sync_runs nearer
    where nearer.command = 'reconcile' and nearer.host = parent.host and nearer.pid = parent.pid
      and nearer.started_at > parent.started_at and nearer.started_at <= child.started_at
  );

-- The bytes of entries that `raw discard` took out; the rest of each entry is in change_journal. `undo` puts both back.
create table discarded_bodies (
  webhook_log_id uuid primary key,
  run_id         uuid not null,
  raw_body       bytea not null,
  created_at     timestamptz(3) not null default current_timestamp
);
create index discarded_bodies_run_id_idx on discarded_bodies (run_id);
