import path from 'node:path'
import { startAzuriteIfNeeded } from './azurite'
import { keepHostRunning } from './host-process'
import { watchFile } from './watch-file'

/** Where the storage of a launched host is. */
export type LaunchStorage =
  /** An Azurite on these ports: used if it already runs, else started (and stopped again at the end). */
  | {
      readonly kind: 'azurite'
      readonly blobPort: number
      readonly queuePort: number
      readonly tablePort: number
      /** Where Azurite keeps its data; it also lands there when Azurite is killed, at most 5 s old. */
      readonly stateFolder: string
    }
  /** Whatever this names: another launch's Azurite, a real account. */
  | { readonly kind: 'connection-string'; readonly connectionString: string }

export interface LaunchOptions {
  readonly appFolder: string
  readonly port: number
  readonly storage: LaunchStorage
  /** Added to the environment of this process; `AzureWebJobsStorage` is set from `storage` unless given here. */
  readonly env?: Readonly<Record<string, string>>
  /** Further command-line options of the host, such as `--no-triggers` or `--enable-auth`. */
  readonly hostOptions?: readonly string[]
  /** The bundle of the host; by default `host.js` beside this code's own bundle. */
  readonly hostFile?: string
  /** Restarts the host when this file changes (the app's bundle). */
  readonly watch?: string
  /** Lines that the host and the launcher print. Without it they go to this process's own output. */
  readonly onLine?: (line: string) => void
}

export interface Launched {
  /** Resolves at the host's first readiness; rejects when it cannot be had (Azurite does not start, quick crashes). */
  readonly ready: Promise<void>
  /** Ends the host, then Azurite if it was started here. Safe to call twice. */
  stop(): Promise<void>
  /** Undefined while there is no host process, as between a crash and its restart. */
  hostPid(): number | undefined
}

/**
 * Starts Azurite (if it has to) and one host, side by side: the host loads the app meanwhile and waits by itself for
 * the storage's ports. Keeps the host running through crashes and changes of the app. Several launches can run in
 * one process on different ports; the launcher itself holds no code of the app.
 */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const onLine = options.onLine ?? ((line) => void process.stdout.write(`${line}\n`))
  const { storage } = options
  const azurite = storage.kind === 'azurite' ? await startAzuriteIfNeeded(storage, onLine) : undefined
  const host = keepHostRunning({
    hostFile: options.hostFile ?? path.join(__dirname, 'host.js'),
    args: ['--app', options.appFolder, '--port', String(options.port), ...(options.hostOptions ?? [])],
    env: { ...process.env, AzureWebJobsStorage: connectionStringOf(storage), ...options.env },
    onLine,
  })
  const watcher = options.watch === undefined ? undefined : watchFile(options.watch, () => host.restart())
  const ready = azurite ? Promise.all([host.ready, azurite.ready]).then(() => {}) : host.ready
  // Whoever does not ask for `ready` learns of the failure from the lines; it must not end the process.
  ready.catch(() => {})
  let stopping: Promise<void> | undefined
  const stopAll = async () => {
    watcher?.close()
    // Azurite goes last: it writes what the host stored while it ended.
    await host.stop()
    await azurite?.stop()
  }
  return { ready, stop: () => (stopping ??= stopAll()), hostPid: () => host.pid() }
}

/** The connection string of the development account on an Azurite's ports. */
export function connectionStringOf(storage: LaunchStorage): string {
  if (storage.kind === 'connection-string') return storage.connectionString
  const account = 'devstoreaccount1'
  const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
  const { blobPort, queuePort, tablePort } = storage
  return [
    `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key}`,
    `BlobEndpoint=http://127.0.0.1:${blobPort}/${account}`,
    `QueueEndpoint=http://127.0.0.1:${queuePort}/${account}`,
    `TableEndpoint=http://127.0.0.1:${tablePort}/${account};`,
  ].join(';')
}
