-- Entries of Meta's that name no number: looked through when a WABA turns out to have a second one.
create index webhook_log_without_number on webhook_log (id) where provider = 'meta' and phone_number_ids = '{}';
