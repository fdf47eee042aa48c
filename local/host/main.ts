import { EXIT_TAKEN_OVER } from './exit-codes'
import { consoleLog, describeError } from './log'
import { startHost } from './host'
import { readSettings } from './settings'
import { freePort } from './wait-for-storage'

/** When the launcher is gone nobody waits any more. */
const ORPHAN_GRACE_MS = 1_000

/** The process that is the host. Exit codes: 0 asked to stop, 1 failed, 3 taken over. */
async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), process.env)
  const port = settings.port === 0 ? await freePort() : settings.port
  prepareProcess(settings.appFolder, port)
  const log = consoleLog(settings.logLevel)
  let stopping: Promise<void> | undefined
  const onTakenOver = () => stop(settings.stopGraceMs, EXIT_TAKEN_OVER)
  const host = startHost({ settings: { ...settings, port }, env: process.env, log, onTakenOver })
  const stop = (graceMs: number, exitCode = 0) => {
    stopping ??= host
      .then((started) => started.stop(graceMs))
      .catch(fail)
      .then(() => process.exit(exitCode))
  }
  process.on('SIGTERM', () => stop(settings.stopGraceMs))
  process.on('SIGINT', () => stop(settings.stopGraceMs))
  process.on('disconnect', () => stop(ORPHAN_GRACE_MS))

  await host
  if (stopping) return
  process.stdout.write(`Functions host on http://localhost:${port}\n`)
  process.send?.({ kind: 'ready', port })
}

/** What the real host does to a worker's process before the app is loaded. */
function prepareProcess(appFolder: string, port: number): void {
  process.chdir(appFolder)
  // The durable library rewrites every management link to localhost:7071 unless this is set.
  process.env['WEBSITE_HOSTNAME'] = `localhost:${port}`
  process.env['AZURE_FUNCTIONS_ENVIRONMENT'] ??= 'Development'
  process.env['FUNCTIONS_WORKER_RUNTIME'] ??= 'node'
}

function fail(error: unknown): void {
  process.stderr.write(`The host failed: ${describeError(error)}\n`)
  process.exit(1)
}

main().catch(fail)
