-- Alerts can be acknowledged, and numbers retired; and what a verification has proven is remembered.

-- Nothing is expected of an archived connection any more; what it lost still counts.
alter table connections add column archived_at timestamptz(3);

-- One acknowledgement per alert. It holds until its time is over, or until `state` is no longer that of the alert.
create table alert_acks (
  alert_id      text not null,
  kind          text not null,
  connection_id uuid,
  subject       text,
  state         text not null,
  reason        text,
  until         timestamptz(3),
  acked_by      text not null,
  host          text not null,
  acked_at      timestamptz(3) not null,
  constraint alert_acks_pkey primary key (alert_id),
  constraint alert_acks_connection_id_fkey foreign key (connection_id) references connections (id) on update cascade on delete cascade
);
create index alert_acks_connection_id_idx on alert_acks (connection_id);

-- The messages of a block of raw entries as they were when the block was last compared with the raw log, entry by entry.
-- A block whose messages are the same need not be compared again.
create table proven_blocks (
  block   text not null,
  rows    bigint not null,
  digest  text not null,
  advance bigint not null,
  constraint proven_blocks_pkey primary key (block)
);
