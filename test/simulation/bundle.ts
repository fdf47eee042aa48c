import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

/** A file of this folder as a program of its own, for processes that are started many times. */
export async function bundle(file: string): Promise<{ entry: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'simulation-'))
  const entry = join(folder, 'process.js')
  await build({
    entryPoints: [join(process.cwd(), 'test', 'simulation', file)],
    outfile: entry,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    // Some packages' ES modules ask where they are; in a CommonJS bundle that is the bundle itself.
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href" },
    logLevel: 'warning',
  })
  return { entry, remove: () => rm(folder, { recursive: true }) }
}
