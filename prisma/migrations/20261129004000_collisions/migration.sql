-- A person whose names grow may have the better claim to an id now: batches look for the few messages that lost one (M9).
create index rejects_collisions on rejects (webhook_log_id) where reason = 'id_collision';
