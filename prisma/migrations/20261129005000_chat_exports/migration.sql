-- Lines of a chat that a phone has exported, with messages which the log lacks, are raw entries, too (compare chat-export --adopt).
alter table webhook_log drop constraint webhook_log_provider_check;
alter table webhook_log add constraint webhook_log_provider_check check (provider in (
  'meta', 'baileys', 'crm:chat-export', 'crm:chatwoot', 'crm:evolution', 'crm:table', 'crm:ticketz', 'crm:whaticket',
  'crm:whatrack'
)) not valid;
alter table webhook_log validate constraint webhook_log_provider_check;
