-- Rows of a CRM that holds messages which the log lacks are stored as raw entries, too (compare --adopt).
alter table webhook_log drop constraint webhook_log_provider_check;
alter table webhook_log add constraint webhook_log_provider_check check (provider in (
  'meta', 'baileys', 'crm:chatwoot', 'crm:evolution', 'crm:table', 'crm:ticketz', 'crm:whaticket', 'crm:whatrack'
)) not valid;
alter table webhook_log validate constraint webhook_log_provider_check;
