// Builds the package for both module systems, with types, and checks its size.

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
if (!readFileSync('src/version.ts', 'utf8').includes(`'${version}'`)) throw new Error('src/version.ts says another version');

rmSync('dist', { recursive: true, force: true });
// A file per module where bundlers leave out what is not used, one file where nobody does.
execFileSync('node', ['node_modules/typescript/bin/tsc', '-p', '.'], { stdio: 'inherit' });
const entry = { entryPoints: ['src/index.ts'], bundle: true, target: 'es2022', external: ['node:crypto'] };
await build({ ...entry, format: 'cjs', outfile: 'dist/index.cjs', platform: 'node' });

// The promise of the README: everything, minified.
const everything = await build({ ...entry, format: 'esm', minify: true, write: false });
const size = everything.outputFiles[0].contents.length;
if (size > 15_000) throw new Error(`the whole package has ${size} bytes minified, more than 15 000`);
console.log(`${size} bytes minified`);
// CommonJS looks for declarations of its own kind.
for (const file of readdirSync('dist').filter((name) => name.endsWith('.d.ts'))) {
  const text = readFileSync(`dist/${file}`, 'utf8').replace(/from '(\.\/[^']+)\.js'/g, "from '$1.cjs'");
  writeFileSync(`dist/${file.replace(/\.d\.ts$/, '.d.cts')}`, text);
}
