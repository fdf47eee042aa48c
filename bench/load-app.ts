/**
 * A process that loads the app of a folder as a Functions worker does, tells its parent when the functions are registered, and ends:
 * the start of an instance without host and network.
 */
import { installFunctionsCore } from '../local/host/core/functions-core'
import { loadApp } from '../local/host/core/load-app'
import { Registry } from '../local/host/core/registry'
import { consoleLog } from '../local/host/log'

export interface LoadedApp {
  /** When the last function was registered, Unix milliseconds with fractions. */
  readonly registeredAtMs: number
  /** Processor time of the process until then, of all its threads. */
  readonly processorMs: number
  readonly functions: number
  readonly residentMb: number
  /** Files that were loaded, but for this one. */
  readonly files: readonly string[]
  /** Whether all of Node's `fetch` was, which takes 30 ms and which no start needs. */
  readonly loadedFetch: boolean
}

async function main(): Promise<void> {
  const log = consoleLog('error')
  const registry = new Registry(log, process.env)
  installFunctionsCore(registry, log)
  await loadApp(process.argv[2] ?? '', registry)
  const registeredAtMs = performance.timeOrigin + performance.now()
  const { user, system } = process.cpuUsage()
  const loaded: LoadedApp = {
    registeredAtMs,
    processorMs: (user + system) / 1_000,
    functions: registry.functions.size,
    residentMb: Math.round(process.memoryUsage().rss / 2 ** 20),
    files: Object.keys(require.cache).filter((file) => file !== __filename),
    loadedFetch: loadedModules().some((name) => name.endsWith('internal/deps/undici/undici')),
  }
  process.send?.(loaded, () => process.exit(0))
}

/** Node's own list of the parts of it that are in use; not in its types. */
function loadedModules(): readonly string[] {
  return (process as unknown as { readonly moduleLoadList: readonly string[] }).moduleLoadList
}

void main()
