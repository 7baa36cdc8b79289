import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, Plugin } from 'rolldown';
import { z } from 'zod';

const ROOT = dirname(fileURLToPath(import.meta.url));
const manifest = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  license: z.string().default('unknown'),
  name: z.string(),
  version: z.string(),
});

/** The modules of ours that hold the code of others: each names what is used of a package that an installation has not. */
export const PIECES = ['src/whatsapp/baileys.ts', 'src/commands/connections/numbering-plan.ts'] as const;

/** What Baileys loads where there is something to send: pictures, sounds, previews of links. This tool sends none. */
const NEVER_LOADED = ['audio-decode', 'jimp', 'link-preview-js', 'music-metadata', 'sharp'];

const ENTRIES = ['bin/wa-reconcile', 'src/index', 'src/library/devices'] as const;

/**
 * How the code of a `dist` is made: the entries, and what they share or load later in a file each. Our dependencies stay imports,
 * everything else becomes part of the files. Names stay as they are, for stack traces.
 */
export function codeOf(dist: string): BuildOptions {
  const { dependencies } = readManifest(ROOT);
  const kept = [...Object.keys(dependencies), ...NEVER_LOADED];
  return {
    input: Object.fromEntries(ENTRIES.map((entry) => [entry, join(ROOT, `${entry}.ts`)])),
    platform: 'node',
    // A module that one loads at its start and another later is loaded at the start.
    checks: { ineffectiveDynamicImport: false },
    external: (id) => kept.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [licenses()],
    output: {
      dir: dist,
      entryFileNames: '[name].js',
      // Without a digest: a build over an older one replaces its files.
      chunkFileNames: 'shared/[name].js',
      keepNames: true,
      comments: false,
    },
  };
}

export default codeOf(join(ROOT, 'dist'));

/** Writes whose code is in ours, and on which terms: most licenses ask that their text stays with the code. */
function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
      const packages = new Set(modules.flatMap((id) => packageOf(id) ?? []));
      const texts = [...packages].sort().map(licenseOf);
      this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: texts.join('\n\n') });
    },
  };
}

/** The directory of the package in which a module is. */
function packageOf(id: string): string | undefined {
  const marker = `${sep}node_modules${sep}`;
  const start = id.lastIndexOf(marker);
  if (start === -1) return undefined;
  const [first = '', second = ''] = id.slice(start + marker.length).split(sep);
  return id.slice(0, start) + marker + (first.startsWith('@') ? join(first, second) : first);
}

function licenseOf(directory: string): string {
  const { name, version, license } = readManifest(directory);
  const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : `\n\n${readFileSync(join(directory, file), 'utf8').trim()}`;
  return `== ${name} ${version}, ${license}${text}`;
}

function readManifest(directory: string): z.infer<typeof manifest> {
  return manifest.parse(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')));
}
