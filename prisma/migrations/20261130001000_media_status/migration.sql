-- Every file that a message names, with its state now and when it expires, also one that nobody has tried to fetch: media_files has a row
-- only for the tried ones. The text is MEDIA_STATUS_VIEW of src/store/tables/media-files.ts. The view reads messages, webhook_log and
-- media_files: a migration that changes the type of a column it reads has to drop and create it.
create view media_status as
select connection_id, media_id, message_id, state, expires_at, route, type, at as sent_at, mime_type, sha256, size, attempts,
  tried_at, path, fetched_at, error
from (
  select n.*, coalesce(f.attempts, 0) as attempts, f.first_tried_at, f.tried_at, coalesce(f.size, n.announced) as size,
    f.path, f.fetched_at, f.error,
    case when coalesce(f.state, 'owed') not in ('owed', 'expired') or n.expires_at is null then coalesce(f.state, 'owed')
      when n.expires_at <= now()::timestamptz then 'expired' else 'owed' end as state
  from (
    select m.connection_id, coalesce(m.media ->> 'id', 'web:' || m.external_id) as media_id,
      min(m.external_id) as message_id, case when m.media ->> 'id' is null then 'web' else 'meta' end as route,
      min(m.type) as type, min(m.media ->> 'mimeType') as mime_type, min(m.media ->> 'sha256') as sha256,
      min(m.timestamp) as at, max(case when m.media ->> 'id' is null then null
      when m.source = 'history' then least(
        m.timestamp + interval '14 days',
        coalesce((
      select max(coalesce(w.received_at, w.created_at)) from webhook_log w
      where m.source = 'history' and m.media ->> 'id' is not null
        and m.timestamp > now()::timestamptz - interval '21 days'
        and w.chat_ids && array(select i.value from lead_identities i where i.lead_id = m.lead_id)
        and octet_length(w.raw_body) <= 262144
        and position(convert_to(m.media ->> 'id', 'UTF8') in w.raw_body) > 0), e.received_at, e.created_at, m.timestamp))
      else coalesce(e.received_at, m.timestamp) end + interval '7 days') as expires_at,
      min(m.raw_meta -> 'mediaKeys' ->> 'directPath') as direct_path, min(m.raw_meta -> 'mediaKeys' ->> 'mediaKey') as media_key,
      min(case when jsonb_typeof(m.raw_meta -> 'mediaKeys' -> 'fileLength') = 'number'
        then (m.raw_meta -> 'mediaKeys' ->> 'fileLength')::numeric::bigint end) as announced
    from messages m left join webhook_log e on e.id = m.batch_id
    where jsonb_typeof(m.media) = 'object' and m.deleted_at is null
      and (m.media ->> 'id' is not null and m.external_id like 'wamid.%'
        or m.media ->> 'id' is null and m.external_id is not null
          and m.raw_meta -> 'mediaKeys' ->> 'directPath' is not null
          and m.raw_meta -> 'mediaKeys' ->> 'mediaKey' is not null)
      and true
    group by 1, 2, 4) n
  left join media_files f on f.connection_id = n.connection_id and f.media_id = n.media_id) named;
