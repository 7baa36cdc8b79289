import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { DoctorOptions, GivenSetting } from '../commands/doctor/types.js';
import { redactDatabase, type DatabaseConfig } from '../commands/database.js';
import { UserError } from '../model/errors.js';
import type { Call } from './call.js';
import { redact } from './exit.js';
import { similarWord } from './similar.js';
import { chooseDatabase } from './choose-database.js';
import { lookUp, type Environment } from './environment.js';
import { APP_SECRET } from './app-secrets.js';
import { DEVICE_VARIABLES, readSecretKey } from './device-options.js';
import { FlagOption } from './flags/flag.js';
import { GRAPH_VARIABLES } from './graph-options.js';

const PREFIX = 'WA_RECONCILE_';
const SECRET = /TOKEN|SECRET|PASSWORD|PASSPHRASE|_KEY$/;

type FromSettings = Pick<
  DoctorOptions,
  'database' | 'looked' | 'settings' | 'unknownSettings' | 'secretFiles' | 'secretKey'
>;

/**
 * The command line's view of the configuration, safe to show. An undeterminable database is passed on as the reason:
 * the doctor must work when settings are wrong.
 */
export function describeSettings(call: Call, program: Command): FromSettings {
  const { environment, settings } = call;
  const chosen = choose(call);
  const names = new Set([...variablesOf(program), ...DEVICE_VARIABLES, ...GRAPH_VARIABLES, APP_SECRET]);
  const given = [...names].sort().flatMap((name): GivenSetting[] => {
    const found = lookUp(name, environment);
    return found === undefined
      ? []
      : [{ name: words(name), value: shown(name, found.value), origin: found.place }];
  });
  const home = call.given.get('home');
  return {
    database: chosen.database,
    looked: chosen.looked,
    secretKey: secretKeyOf(call),
    settings: [...chosen.setting, ...given.filter(({ name }) => name !== 'home' || typeof home !== 'string')],
    unknownSettings: [...unknownNames(environment, names)].map((name) => {
      // Without the prefix: it would make any two names alike.
      const similar = similarWord(words(name), [...names].map(words));
      return {
        place: lookUp(name, environment)?.place ?? name,
        ...(similar === undefined ? {} : { similar: environmentNameOf(similar) }),
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

function secretKeyOf({ environment, io }: Call): DoctorOptions['secretKey'] {
  try {
    return readSecretKey(environment, io.cwd);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** The variables of every flag of every command. */
function variablesOf(command: Command): string[] {
  return [
    ...command.options.flatMap((option) =>
      option instanceof FlagOption && option.variable !== undefined ? [option.variable] : [],
    ),
    ...command.commands.flatMap(variablesOf),
  ];
}

function unknownNames({ env, dotenv }: Environment, known: ReadonlySet<string>): Set<string> {
  const names = [...Object.keys(env), ...Object.keys(dotenv)];
  return new Set(names.filter((name) => name.startsWith(PREFIX) && !known.has(name)));
}

/** `lock-wait` -> `WA_RECONCILE_LOCK_WAIT`. */
function environmentNameOf(name: string): string {
  return PREFIX + name.toUpperCase().replaceAll('-', '_');
}

/** `WA_RECONCILE_LOCK_WAIT` -> `lock-wait`. */
function words(name: string): string {
  return name.slice(PREFIX.length).toLowerCase().replaceAll('_', '-');
}

function shown(name: string, value: string): string {
  return SECRET.test(name) ? '***' : redact(value);
}
