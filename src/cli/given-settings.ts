import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { DoctorOptions, GivenSetting } from '../core/doctor/options.js';
import { redactDatabase, type DatabaseConfig } from '../core/database.js';
import { UserError } from '../model/errors.js';
import type { Call } from './call.js';
import { redact } from './exit.js';
import { similarWord } from './similar.js';
import { chooseDatabase } from './choose-database.js';
import { lookUp, type Environment } from './environment.js';
import { environmentName } from './flags/flag.js';

const PREFIX = 'WA_RECONCILE_';
const SECRET = /TOKEN|SECRET|PASSWORD|PASSPHRASE|_KEY$/;

type FromSettings = Pick<
  DoctorOptions,
  'database' | 'looked' | 'settings' | 'unknownSettings' | 'secretFiles'
>;

/**
 * What the command line knows of the configuration, fit to be shown. A database that cannot be told is handed on as the
 * reason: the doctor is who is asked when settings are wrong.
 */
export function describeSettings(call: Call, program: Command): FromSettings {
  const { environment, settings } = call;
  const chosen = choose(call);
  const names = new Map([...keysOf(program)].map((key) => [environmentName(key), key]));
  const given = [...names.keys()].sort().flatMap((name): GivenSetting[] => {
    const found = lookUp(name, environment);
    return found === undefined
      ? []
      : [{ name: words(name), value: shown(name, found.value), origin: found.place }];
  });
  const home = call.given.get('home');
  return {
    database: chosen.database,
    looked: chosen.looked,
    settings: [...chosen.setting, ...given.filter(({ name }) => name !== 'home' || typeof home !== 'string')],
    unknownSettings: [...unknownNames(environment, names)].map((name) => {
      const similar = similarWord(name, [...names.keys()]);
      return {
        place: lookUp(name, environment)?.place ?? name,
        ...(similar === undefined ? {} : { similar }),
      };
    }),
    secretFiles: [
      ...(environment.dotenvPath === undefined ? [] : [environment.dotenvPath]),
      ...[settings.databaseUrlFile, settings.directDatabaseUrlFile].flatMap((file) =>
        file === undefined ? [] : [resolve(call.io.cwd, file)],
      ),
    ],
  };
}

function choose(call: Call): {
  database: DatabaseConfig | UserError;
  looked: readonly string[];
  setting: GivenSetting[];
} {
  try {
    const { config, place, looked } = chooseDatabase(call.settings, call.environment, call.io);
    return {
      database: config,
      looked,
      setting: [{ name: 'database', value: redactDatabase(config), origin: place }],
    };
  } catch (error) {
    if (error instanceof UserError) return { database: error, looked: [], setting: [] };
    throw error;
  }
}

/** The keys of every option of every command: what the environment may set. */
function keysOf(command: Command): Set<string> {
  const keys = new Set<string>();
  for (const option of command.options) {
    const name = option.attributeName();
    keys.add(option.negate ? `no${name.charAt(0).toUpperCase()}${name.slice(1)}` : name);
  }
  for (const sub of command.commands) for (const key of keysOf(sub)) keys.add(key);
  return keys;
}

function unknownNames({ env, dotenv }: Environment, known: ReadonlyMap<string, string>): Set<string> {
  const names = [...Object.keys(env), ...Object.keys(dotenv)];
  return new Set(names.filter((name) => name.startsWith(PREFIX) && !known.has(name)));
}

/** `WA_RECONCILE_LOCK_WAIT` -> `lock-wait`. */
function words(name: string): string {
  return name.slice(PREFIX.length).toLowerCase().replaceAll('_', '-');
}

function shown(name: string, value: string): string {
  return SECRET.test(name) ? '***' : redact(value);
}
