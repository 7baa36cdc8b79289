import { createHash } from 'node:crypto';

/** In a reconcile's counters: whether everything was compared, or proved before, and matches the raw log. */
export const ACCOUNTED = 'accounted';

/** In the counters of a list's import: the contacts that it could not do, and that another attempt may. */
export const UNDONE = 'undone';

/** Hex digits of the digest of a contact's name. */
const NAME_DIGITS = 16;

/**
 * A contact's names as a run records them before the contact is a lead. The salt is different in every run, so that no two
 * runs show that they are about one person.
 */
export function nameDigests(salt: string, names: Iterable<string>): string[] {
  const digestOf = (name: string): string => createHash('sha256').update(`${salt} ${name}`).digest('hex');
  return [...names].map((name) => digestOf(name).slice(0, NAME_DIGITS)).sort();
}

/** SQL: the same of one name. */
const nameDigest = (salt: string, name: string): string =>
  `left(encode(sha256(convert_to(${salt} || ' ' || ${name}, 'UTF8')), 'hex'), ${NAME_DIGITS})`;

/** SQL: a run over a list of contacts. */
const isList = (run: string): string => `(${run}.command = 'import' and ${run}.work like 'import {%')`;

/** SQL: the log of a contact's import that has gone to the phone. Logs of earlier versions began there. */
const wentToPhone = (log: string): string =>
  `(coalesce(${log}.counters ? 'toPhone', false) or not coalesce(${log}.counters ? 'asked', false))`;

/**
 * SQL: a run's task, as written by `workOf`. What a replay can do is no longer all of an import's task once it has gone to
 * the phone.
 */
const OPEN_WORK = `(case when r.command <> 'import' or not exists (
    select from sync_logs mine
    where mine.run_id = r.id and mine.sync_type = 'manual_recovery' and ${wentToPhone('mine')}
  ) then r.work end)`;

/** SQL: how far back an import was to go, as its log says, or the options of a run of an earlier version. */
const MESSAGES = `coalesce((mine.counters #>> '{asked,messages}')::int,
  coalesce((r.options ->> 'pages')::int, case when r.options ? 'since' then 100 else 1 end)
    * coalesce((r.options ->> 'count')::int, 50))`;
const UNTIL = `(mine.counters #>> '{asked,until}')::bigint`;
/** Everything that it was to bring is stored, whoever brought it. */
const IS_STORED = `coalesce((done.counters ->> 'oldestAt')::bigint < ${UNTIL}, false)`;

/**
 * SQL: whether one import of a contact (`done`) did at least what another one (`mine`) was to do: it went back as many
 * messages or as far, or to the end of the history; it asked the phone, if the other had got as far as that; it searched the
 * raw log, if that was all of the other's task.
 */
const DOES_AS_MUCH = `(
  (${IS_STORED}
    or done.counters ->> 'outcome' = 'end_of_history'
    or (done.counters ->> 'wentBack')::int >= ${MESSAGES}
    or done.counters ->> 'outcome' in ('cache', 'fetched', 'empty', 'no_anchor')
      and (done.counters #>> '{asked,messages}')::int >= ${MESSAGES}
      and coalesce((done.counters #>> '{asked,until}')::bigint, 0) <= coalesce(${UNTIL}, 0))
  and (${IS_STORED} or not ${wentToPhone('mine')} or (done.counters ->> 'requests')::int > 0)
  and (coalesce(mine.counters #>> '{asked,phase}', '') <> 'cache' or done.counters #>> '{asked,phase}' <> 'fetch')
)`;

/** SQL: an import of one contact that ended, in a later run; `no_anchor`: there is nothing to ask the phone from. */
const DONE = `done.run_id = later.id and done.sync_type = 'manual_recovery'
  and (done.status in ('completed', 'partial') or done.counters ->> 'outcome' = 'no_anchor')`;

/** SQL: the later run imported the contact of an import that died before the contact was a lead, raw log included. */
const IS_SAME_NAME = `case when r.work like 'log failed {%"names":%' then exists (
    select from sync_logs done join lead_identities i on i.lead_id = done.lead_id
    where ${DONE} and done.counters #>> '{asked,phase}' <> 'fetch'
      and coalesce(substr(r.work, 12)::jsonb ->> 'connection', done.connection_id::text) = done.connection_id::text
      and (substr(r.work, 12)::jsonb -> 'names') ? ${nameDigest(`(substr(r.work, 12)::jsonb ->> 'salt')`, 'i.value')}
  ) else false end`;

/**
 * SQL: the later run did the work of an import: of one contact, whichever run it was part of; or of the same list, with no
 * contact left that another attempt may bring.
 */
const IMPORTS_AS_MUCH = `(later.command = 'import' and r.command = 'import' and case when ${isList('r')} then
    case when ${isList('later')} and later.status in ('completed', 'partial') then
      substr(later.work, 8)::jsonb ->> 'list' = substr(r.work, 8)::jsonb ->> 'list'
      and coalesce((substr(later.work, 8)::jsonb ->> 'count')::int, 0) >= coalesce((substr(r.work, 8)::jsonb ->> 'count')::int, 0)
      and coalesce((later.counters ->> '${UNDONE}')::int, 0) = 0
    else false end
  else
    exists (
      select from sync_logs mine
      join sync_logs done on done.lead_id = mine.lead_id and done.connection_id = mine.connection_id
      where mine.run_id = r.id and mine.sync_type = 'manual_recovery' and ${DONE} and ${DOES_AS_MUCH}
    )
    or ${IS_SAME_NAME}
  end)`;

/**
 * SQL: whether the run `later` makes up for the run `r`, which did not complete. `work` is a run's task, as written by
 * `workOf` (src/ingest/runs/with-run.ts): `<command> {}` covers everything. Every reconcile replays pending and failed
 * entries; one that ended with everything matching the log covers all of it. An import is judged by the logs of its
 * contacts: equal options say nothing of whom they were for. `current`: a run that is about to complete.
 */
export const coversSql = (current: string): string => `(
  later.resumed_run_id = r.id
  or ${IMPORTS_AS_MUCH}
  or (later.status in ('completed', 'partial') or later.id = ${current}) and (
    later.command = r.command and not ${isList('r')}
      and (r.command <> 'import' and later.options = r.options or later.work in (${OPEN_WORK}, r.command || ' {}'))
    or later.command = 'undo' and later.options ->> 'undoes' = r.id::text
    or later.command = 'reconcile' and (
      r.command = 'reconcile'
      or ${OPEN_WORK} like 'log pending %' or ${OPEN_WORK} like 'log failed %'
      or ${OPEN_WORK} like 'log all %' and (
        later.options ? 'full'
        -- It has compared everything, and restored what was lost; what other choices bring in or leave out it has not.
        or later.counters ->> '${ACCOUNTED}' = 'true' and r.work !~ '"(include|tickets)"'
      )
    )
    or case when r.work like 'files %' and later.work like 'files %' and r.options ->> 'content' = later.options ->> 'content'
      then substr(r.work, 7)::jsonb - 'paths' = substr(later.work, 7)::jsonb - 'paths' end
    or ${OPEN_WORK} like 'log pending %' and later.work in ('log pending {}', 'log failed {}', 'log all {}')
    or ${OPEN_WORK} like 'log failed %' and later.work in ('log failed {}', 'log all {}')
    or ${OPEN_WORK} like 'log all %' and later.work = 'log all {}'
  )
)`;

/**
 * SQL, to be joined: the contact of an import `r` of one contact, where the run got far enough to know it; with its
 * connection's name now.
 */
export const IMPORTED_CONTACT_SQL = `left join lateral (
    select mine.lead_id, c.name as connection, ${wentToPhone('mine')} as went_to_phone, ${UNTIL} as until
    from sync_logs mine join connections c on c.id = mine.connection_id
    where mine.run_id = r.id and mine.sync_type = 'manual_recovery' and r.command = 'import' and not coalesce(${isList('r')}, false)
    order by mine.started_at desc limit 1
  ) imported on true`;
