-- A request to a phone stays on record until its answer is known to be whole: what comes too late, in another session, may
-- leave out what is between the anchor and itself.
alter table history_gaps drop constraint history_gaps_reason_check;
alter table history_gaps add constraint history_gaps_reason_check check (reason in ('file', 'chunk', 'short', 'asked'));
