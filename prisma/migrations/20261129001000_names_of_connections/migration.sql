-- Every WABA and every number that entries have named a connection by: what depends on them must not depend on their order.
alter table connections
  add column waba_ids text[] not null default '{}',
  add column numbers  text[] not null default '{}';
