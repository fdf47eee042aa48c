import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isListening, waitForPort } from '../wait-for-storage'
import { endProcess } from './end-process'
import type { LaunchStorage } from './launch'

type AzuriteStorage = Extract<LaunchStorage, { kind: 'azurite' }>

const START_MS_MAX = 30_000
/** Azurite holds all data in memory and writes it at the end; a large state takes a moment. */
const STOP_GRACE_MS = 10_000

export interface Azurite {
  readonly ready: Promise<void>
  stop(): Promise<void>
}

/** Undefined when all three ports are taken already: then somebody else's Azurite is used and left alone. */
export async function startAzuriteIfNeeded(
  { blobPort, queuePort, tablePort, stateFolder }: AzuriteStorage,
  onLine: (line: string) => void,
): Promise<Azurite | undefined> {
  const ports = [blobPort, queuePort, tablePort]
  const open = await Promise.all(ports.map(isListening))
  if (open.every(Boolean)) return undefined
  if (open.some(Boolean)) throw new Error(`Of Azurite's ports ${ports.join(', ')} only some are free`)

  mkdirSync(stateFolder, { recursive: true })
  const entry = require.resolve('azurite/dist/src/azurite.js')
  const portOptions = ['--blobPort', blobPort, '--queuePort', queuePort, '--tablePort', tablePort].map(String)
  const child = spawn(
    process.execPath,
    [
      // Beside this code's bundle as beside this file.
      '--require',
      join(__dirname, 'azurite-preload'),
      entry,
      '--location',
      stateFolder,
      '--silent',
      '--skipApiVersionCheck',
      '--disableTelemetry',
      ...portOptions,
    ],
    // Ctrl-C reaches the whole foreground group; in a group of its own Azurite outlives the host that still writes.
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  )
  child.stderr.on('data', (data: Buffer) => onLine(`azurite: ${data.toString().trimEnd()}`))
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`Azurite ended with code ${code}`)))
  })
  failed.catch(() => {})
  const deadlineMs = Date.now() + START_MS_MAX
  const listening = Promise.all(ports.map((port) => waitForPort(port, deadlineMs))).then(() => {})
  return { ready: Promise.race([listening, failed]), stop: () => endProcess(child, STOP_GRACE_MS) }
}
