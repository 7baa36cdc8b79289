-- Access tokens of the Graph API, one per connection, sealed as linked devices are.
create table graph_credentials (
  connection_id uuid not null,
  token bytea not null,
  saved_at timestamptz(3) not null,
  -- What `connection check` last saw.
  checked_at timestamptz(3),
  app_id text,
  expires_at timestamptz(3),
  -- Its findings: what, and how bad.
  findings jsonb,
  constraint graph_credentials_pkey primary key (connection_id),
  constraint graph_credentials_connection_id_fkey foreign key (connection_id) references connections (id) on delete restrict on update cascade
);

-- What Meta was asked to send of a number's past, once per kind and onboarding.
create table history_requests (
  connection_id uuid not null,
  sync_type text not null,
  onboarded_at timestamptz(3) not null,
  requested_at timestamptz(3) not null,
  -- Until when Meta takes the request.
  deadline timestamptz(3) not null,
  outcome text not null,
  -- Meta's names of it, for its support.
  request_id text,
  fbtrace_id text,
  error text,
  requested_by text not null,
  host text not null,
  constraint history_requests_pkey primary key (connection_id, sync_type, onboarded_at),
  constraint history_requests_connection_id_fkey foreign key (connection_id) references connections (id) on delete restrict on update cascade,
  constraint history_requests_sync_type_check check (sync_type in ('smb_app_state_sync', 'history')),
  constraint history_requests_outcome_check check (outcome in ('sent', 'accepted', 'refused', 'unknown'))
);
