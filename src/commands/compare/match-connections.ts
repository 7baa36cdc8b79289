import type { CrmConnection } from '../../crm/crm.js';
import type { CrmSource } from '../../crm/source.js';
import { ConfigError } from '../../model/errors.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';
import { storedPhone } from '../connections/find.js';
import { NOT_IN_CRM, type CompareOptions } from './types.js';

/** A connection and the matching CRM instances. */
export interface ConnectionMatch {
  connection: ConnectionRecord;
  crm: CrmConnection;
}

export interface Matches {
  matches: ConnectionMatch[];
  /** Matched when the comparison ran before, and match nothing now: the CRM no longer has them. */
  gone: ConnectionRecord[];
  unmatched: { crm: CrmConnection[]; connections: ConnectionRecord[] };
}

/**
 * Maps each CRM instance to a connection: by `--map`, else by phone_number_id, by number, or by name, in this order.
 * Throws ConfigError if that is ambiguous or leaves nothing to compare: a guess would show a healthy CRM as empty.
 */
export function matchConnections(
  source: CrmSource,
  records: readonly ConnectionRecord[],
  { map, connection: only, matchedBefore }: Pick<CompareOptions, 'map' | 'connection' | 'matchedBefore'>,
): Matches {
  const without = map
    .filter(({ crm }) => crm === NOT_IN_CRM)
    .map(({ connection }) => mappedRecord(records, connection));
  const present = records.filter((record) => !without.includes(record));
  const wanted = present.filter(({ name, id }) => only === undefined || name === only || id === only);
  const matches: ConnectionMatch[] = [];
  const mapped = map
    .filter(({ crm }) => crm !== NOT_IN_CRM)
    .flatMap((pair) => mappedPair(source, records, pair, matchedBefore));
  for (const crm of source.connections) {
    const named = mapped.filter((pair) => pair.crm === crm).map((pair) => pair.connection);
    const found = [...new Set(named)];
    if (found.length > 1) throw oneForSeveral(source, crm, found);
    // Whoever names an instance of a connection leaves out the others that may be it.
    const open = present.filter((record) => !mapped.some(({ connection }) => connection === record));
    const candidates = found.length > 0 ? found : byWhatTheySay(crm, open);
    if (candidates.length === 0 && only !== undefined && isNameless(source)) candidates.push(...wanted);
    const [first, second] = candidates;
    if (first !== undefined && second !== undefined) throw ambiguous(source, crm, candidates);
    if (first !== undefined && wanted.includes(first)) matches.push({ connection: first, crm });
  }
  for (const { connection } of matches) {
    const several = matches.filter((match) => match.connection === connection);
    const isNamed = mapped.some((pair) => pair.connection === connection);
    if (several.length > 1 && !isNamed) throw severalInstances(source, connection, several);
  }
  const absent = wanted.filter((record) => !matches.some(({ connection }) => connection === record));
  const isGone = ({ id }: ConnectionRecord): boolean => matchedBefore?.includes(id) === true;
  const gone = absent.filter(isGone);
  if (matches.length + gone.length === 0) throw nothingMatches(source, wanted);
  return {
    matches,
    gone,
    unmatched: {
      crm: source.connections.filter((crm) => !matches.some((match) => match.crm === crm)),
      connections: absent.filter((record) => !isGone(record)),
    },
  };
}

/** An export of messages alone shows only which rows belong together: `--connection` names the connection. */
function isNameless({ connections }: CrmSource): boolean {
  const [first, second] = connections;
  if (first === undefined || second !== undefined) return false;
  return first.name === '' && first.phone === null && first.phoneNumberId === null;
}

function byWhatTheySay(crm: CrmConnection, records: readonly ConnectionRecord[]): ConnectionRecord[] {
  const ways: ((record: ConnectionRecord) => boolean)[] = [
    (record) => crm.phoneNumberId !== null && record.phoneNumberId === crm.phoneNumberId,
    (record) => crm.phone !== null && storedPhone(record.displayPhoneNumber) === crm.phone,
    (record) => crm.name !== '' && record.name.toLowerCase() === crm.name.toLowerCase(),
  ];
  for (const way of ways) {
    const found = records.filter(way);
    if (found.length > 0) return found;
  }
  return [];
}

function mappedPair(
  source: CrmSource,
  records: readonly ConnectionRecord[],
  { connection, crm }: CompareOptions['map'][number],
  matchedBefore: CompareOptions['matchedBefore'],
): ConnectionMatch[] {
  const record = mappedRecord(records, connection);
  const named = source.connections.filter(({ key }) => key === crm);
  const found = named.length > 0 ? named : source.connections.filter(({ name }) => name === crm);
  const [first, second] = found;
  // What a saved --map names may be what the CRM has lost.
  if (first === undefined && matchedBefore?.includes(record.id) === true) return [];
  if (first === undefined || second !== undefined) {
    const isNamed = source.connections.some(({ key }) => key !== '');
    throw new ConfigError(
      first === undefined
        ? `${source.dialect.title} has nothing called '${crm}'.`
        : `Several of ${source.dialect.title} are called '${crm}'.`,
      {
        code: 'crm_connection_unknown',
        remedy: isNamed
          ? `Give the id of one: ${listed(source.connections)}.`
          : namesNone(source, CONNECTION_FLAG),
        ...(isNamed ? {} : { inProgram: namesNone(source, CONNECTION_OPTION) }),
      },
    );
  }
  return [{ connection: record, crm: first }];
}

/** How to name the only connection: on the command line, and in a program. */
const CONNECTION_FLAG = '--connection NAME';
const CONNECTION_OPTION = 'the option connection';

/** What to do where the files have no connection's id, which `--map` would need; `how`: what names one. */
function namesNone(source: CrmSource, how: string): string {
  const tables = source.dialect.tables.length > 0 ? source.dialect.tables : [source.dialect.messages];
  const names = tables.map(({ table }) => table).join(' and ');
  const alone = isNameless(source) ? `, or name the only connection of these messages: ${how}` : '';
  return `Nothing that was given names a connection. Give the export of ${names} too${alone}.`;
}

function mappedRecord(records: readonly ConnectionRecord[], connection: string): ConnectionRecord {
  const record = records.find(({ name, id }) => name === connection || id === connection);
  if (record === undefined) {
    throw new ConfigError(`There is no connection '${connection}'.`, {
      code: 'connection_unknown',
      remedy: `Known connections: ${records.map(({ name }) => name).join(', ')}.`,
    });
  }
  return record;
}

function ambiguous(
  source: CrmSource,
  crm: CrmConnection,
  candidates: readonly ConnectionRecord[],
): ConfigError {
  return new ConfigError(
    `'${crm.name}' of ${source.dialect.title} may be ${candidates.map(({ name }) => name).join(' or ')}.`,
    {
      code: 'crm_connection_ambiguous',
      remedy: `Say which: --map ${candidates[0]?.name ?? 'NAME'}=${crm.key}`,
      inProgram: `Say which in the option map: { connection: '${candidates[0]?.name ?? 'NAME'}', crm: '${crm.key}' }`,
    },
  );
}

function oneForSeveral(
  source: CrmSource,
  crm: CrmConnection,
  named: readonly ConnectionRecord[],
): ConfigError {
  const names = named.map(({ name }) => name);
  return new ConfigError(
    `'${crm.key}' of ${source.dialect.title} cannot be ${names.length} connections: ${names.join(', ')}.`,
    {
      code: 'crm_connection_ambiguous',
      remedy: `Give it to one of them. ${source.dialect.title} has: ${listed(source.connections)}. --map NAME=${NOT_IN_CRM} says that it never had a connection.`,
      inProgram: `Give it to one of them. ${source.dialect.title} has: ${listed(source.connections)}. crm: '${NOT_IN_CRM}' in the option map says that it never had a connection.`,
    },
  );
}

function severalInstances(
  source: CrmSource,
  connection: ConnectionRecord,
  several: readonly ConnectionMatch[],
): ConfigError {
  const crm = several.map((match) => match.crm);
  return new ConfigError(
    `${source.dialect.title} has ${several.length} that may be ${connection.name}: ${listed(crm)}.`,
    {
      code: 'crm_connection_ambiguous',
      remedy: `Say which: ${crm.map(({ key }) => `--map ${connection.name}=${key}`).join(' or ')}. Give all of them to compare them together.`,
      inProgram: `Say which in the option map, for ${connection.name}: ${crm.map(({ key }) => key).join(' or ')}. Give all of them to compare them together.`,
    },
  );
}

function nothingMatches(source: CrmSource, wanted: readonly ConnectionRecord[]): ConfigError {
  const connections = wanted.map(({ name }) => name).join(', ') || 'none';
  const isNamed = source.connections.length === 0 || source.connections.some(({ key }) => key !== '');
  const theirs = source.connections.length === 0 ? 'none' : listed(source.connections);
  return new ConfigError(`No connection matches one of ${source.dialect.title}.`, {
    code: 'crm_connection_unmatched',
    remedy: isNamed
      ? `Connect them with --map NAME=ID. Connections: ${connections}. ${source.dialect.title}: ${theirs}.`
      : `${namesNone(source, CONNECTION_FLAG)} Connections: ${connections}.`,
    inProgram: isNamed
      ? `Connect them in the option map. Connections: ${connections}. ${source.dialect.title}: ${theirs}.`
      : `${namesNone(source, CONNECTION_OPTION)} Connections: ${connections}.`,
  });
}

function listed(connections: readonly CrmConnection[]): string {
  return connections
    .filter(({ key }) => key !== '')
    .map(({ key, name }) => (name === '' || name === key ? key : `${key} (${name})`))
    .join(', ');
}
