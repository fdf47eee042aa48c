import { globSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import { buildSync } from 'esbuild'

const ROOT = path.resolve(__dirname, '../..')

/** The bundle of the local host. Built here when a source is newer, so that a test run alone cannot test an old one. */
export function builtHost(): string {
  const file = path.join(ROOT, 'dist/local/host.js')
  const sources = globSync('local/host/**/*.ts', { cwd: ROOT }).map((source) => path.join(ROOT, source))
  if (Math.max(...sources.map(modifiedMs)) > modifiedMs(file)) build(file)
  return file
}

function build(file: string): void {
  // Test files run side by side; renaming lets none of them load a half-written bundle.
  const unfinished = `${file}.${process.pid}.tmp`
  buildSync({
    entryPoints: [path.join(ROOT, 'local/host/main.ts')],
    outfile: unfinished,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    packages: 'external',
    sourcemap: 'inline',
  })
  renameSync(unfinished, file)
}

function modifiedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
