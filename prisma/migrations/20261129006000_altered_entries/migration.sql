-- Entries whose hash was changed while their bytes are whole, found when their file comes again. There are none, as a rule; the
-- condition is an equation, so that the planner expects few as well.
create index webhook_log_altered on webhook_log (id) where (sha256(raw_body) = sha256)::integer = 0;
