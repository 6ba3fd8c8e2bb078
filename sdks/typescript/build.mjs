// Builds the package for both module systems, with types, and checks its size.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';

// `npm install <this folder>` in another project builds without having installed what building needs.
if (!existsSync('node_modules/esbuild') || !existsSync('node_modules/typescript')) {
  const install = ['install', '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund', '--include=dev', '--loglevel=error'];
  // The npm that runs us hands its own settings down; those of the other project are not ours.
  const own = Object.entries(process.env).filter(([name]) => !/^npm_config_(global|prefix|local_prefix|omit|include)$/i.test(name));
  execFileSync('npm', install, { stdio: ['ignore', 'ignore', 'inherit'], env: Object.fromEntries(own), shell: process.platform === 'win32' });
}
const { build } = await import('esbuild');

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
if (!readFileSync('src/version.ts', 'utf8').includes(`'${version}'`)) throw new Error('src/version.ts says another version');

rmSync('dist', { recursive: true, force: true });
// A file per module where bundlers leave out what is not used, one file where nobody does.
execFileSync('node', ['node_modules/typescript/bin/tsc', '-p', '.'], { stdio: 'inherit' });
const entry = { entryPoints: ['src/index.ts'], bundle: true, target: 'es2022' };
await build({ ...entry, format: 'cjs', outfile: 'dist/index.cjs', platform: 'node' });

// The promise of the README: everything, minified.
const everything = await build({ ...entry, format: 'esm', minify: true, write: false });
const size = everything.outputFiles[0].contents.length;
// Each resource is a class of a few hundred bytes: this leaves room for some ten more, and for no dependency.
if (size > 24_000) throw new Error(`the whole package has ${size} bytes minified, more than 24 000`);
console.log(`${size} bytes minified`);
// CommonJS looks for declarations of its own kind.
for (const file of readdirSync('dist').filter((name) => name.endsWith('.d.ts'))) {
  const text = readFileSync(`dist/${file}`, 'utf8').replace(/from '(\.\/[^']+)\.js'/g, "from '$1.cjs'");
  writeFileSync(`dist/${file.replace(/\.d\.ts$/, '.d.cts')}`, text);
}
