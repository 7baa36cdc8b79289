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

/**
 * The modules that hold the code of others, by their names in `dist`. Each only names what is used of a package: Baileys comes with
 * 18 MB of an image library, libphonenumber-js in eight builds.
 */
export const PIECES = ['src/whatsapp/baileys', 'src/commands/connections/numbering-plan'] as const;

/** What Baileys loads where there is something to send: pictures, sounds, previews of links. This tool sends none. */
const NEVER_LOADED = ['audio-decode', 'jimp', 'link-preview-js', 'music-metadata', 'sharp'];

/**
 * How these modules are made, in a `dist` that the compiler has filled before: our dependencies stay imports, everything else of
 * them becomes part of the file. Names stay as they are, for stack traces.
 */
export function inlinePackages(dist: string): BuildOptions[] {
  const { dependencies } = readManifest(ROOT);
  const kept = [...Object.keys(dependencies), ...NEVER_LOADED];
  return PIECES.map((piece) => ({
    input: { [piece]: join(ROOT, `${piece}.ts`) },
    platform: 'node',
    external: (id) => kept.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [licenses(piece)],
    output: {
      dir: dist,
      entryFileNames: '[name].js',
      codeSplitting: false,
      comments: false,
      minify: { compress: false, mangle: false, codegen: true },
    },
  }));
}

export default inlinePackages(join(ROOT, 'dist'));

/** Writes beside a module whose code it holds, and on which terms: most licenses ask that their text stays with the code. */
function licenses(piece: string): Plugin {
  return {
    name: 'licenses',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
      const packages = new Set(modules.flatMap((id) => packageOf(id) ?? []));
      const texts = [...packages].sort().map(licenseOf);
      this.emitFile({ type: 'asset', fileName: `${piece}.LICENSES.txt`, source: texts.join('\n\n') });
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
