-- Bodies that were removed on purpose: why (`pruned`, `erased`, `redacted`), by which run, what is left of one that was rewritten, and how
-- many messages named the entry then. `sha256` stays that of the original, so that a redelivery is still the same entry.
alter table webhook_log add column body_state text;
alter table webhook_log add column body_sha256 bytea;
alter table webhook_log add column body_run_id uuid;
alter table webhook_log add column body_messages integer;
alter table webhook_log add constraint webhook_log_body_state_check
  check (body_state in ('pruned', 'erased', 'redacted')) not valid;
alter table webhook_log validate constraint webhook_log_body_state_check;
create index webhook_log_removed on webhook_log (body_run_id) where body_state is not null;

-- Entries whose bytes or hash were changed, found when their file comes again. There are none, as a rule; the condition is an equation,
-- so that the planner expects few as well.
drop index webhook_log_altered;
create index webhook_log_altered on webhook_log (id)
  where (sha256(raw_body) = (case when body_state is null then sha256
      when body_state = 'redacted' then coalesce(body_sha256, ''::bytea) else sha256(''::bytea) end)
    and (substr(id::text, 15, 1) <> '8'
      or substr(id::text, 21) = (substr(encode(sha256, 'hex'), 1, 3) || '-' || substr(encode(sha256, 'hex'), 4, 12))))::integer = 0;
