-- Why WhatsApp says that a message failed: [{"code": 131047, "title": …, "details": …}].
alter table messages add column errors jsonb;

-- Few messages fail; a report counts them without reading all the others.
create index messages_errors on messages (connection_id) where errors is not null;
