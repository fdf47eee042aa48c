import { existsSync, globSync, readFileSync } from 'node:fs'
import { createRequire, findSourceMap } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Registry } from './registry'
import type { ProgrammingModel } from './worker-types'

/**
 * The stack of the first error would have the app's source map parsed: half a second in which no stream moves. So it is done when the start
 * is over, and before there is much to hold up.
 */
const PARSE_SOURCE_MAPS_MS = 5_000

/**
 * Loads the app's entry files: `main` of its package.json, a glob with braces allowed.
 * Anything that fails here is fatal, as it is on Azure: half an app is worse than none.
 */
export async function loadApp(appFolder: string, registry: Registry): Promise<ProgrammingModel> {
  const manifest = readManifest(appFolder)
  const files = globSync(manifest.main, { cwd: appFolder }).sort()
  if (files.length === 0) throw new Error(`No file matches "main" of package.json: ${manifest.main}`)
  for (const file of files) await loadFile(path.join(appFolder, file), manifest.isModule)
  setTimeout(() => files.forEach((file) => findSourceMap(path.join(appFolder, file))), PARSE_SOURCE_MAPS_MS).unref()
  if (!registry.programmingModel) throw new Error('The app registered nothing: does it load @azure/functions?')
  return registry.programmingModel
}

function readManifest(appFolder: string): { main: string; isModule: boolean } {
  const file = path.join(appFolder, 'package.json')
  if (!existsSync(file)) throw new Error(`There is no package.json in ${appFolder}`)
  const { main, type } = JSON.parse(readFileSync(file, 'utf8')) as { main?: unknown; type?: unknown }
  if (typeof main !== 'string') throw new Error(`${file} names no "main"`)
  return { main: main.replace(/^\.\//, ''), isModule: type === 'module' }
}

async function loadFile(file: string, isModule: boolean): Promise<void> {
  const extension = path.extname(file)
  if (extension === '.mjs' || (isModule && extension === '.js')) await import(pathToFileURL(file).href)
  else createRequire(file)(file)
}
