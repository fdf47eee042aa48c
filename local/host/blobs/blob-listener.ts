import type { BlobItem, ContainerClient } from '@azure/storage-blob'
import type { QueueClient } from '@azure/storage-queue'
import { type HostClock, sleepUntil } from '../clock'
import type { HostFunction } from '../core/registry'
import { type FunctionRunner, runLogged, type TriggerInput } from '../core/run-function'
import { type HostLog, messageOf } from '../log'
import { isStatus } from '../storage-error'
import type { BlobPattern } from './blob-pattern'
import type { BlobReceipts } from './blob-receipts'

const ATTEMPTS_MAX = 5
/** Blobs handled at once; each one's content is in memory meanwhile. */
const CONCURRENCY_MAX = 8

interface Deps {
  readonly container: ContainerClient
  readonly pattern: BlobPattern
  readonly receipts: BlobReceipts
  /** webjobs-blobtrigger-poison. */
  readonly poison: QueueClient
  readonly intervalMs: number
  readonly clock: HostClock
  readonly run: FunctionRunner
  readonly log: HostLog
}

export interface BlobListener {
  stop(): Promise<void>
  /** `input` is `container/blob`, as for the real host. */
  startByHand(input: string): void
}

/**
 * Runs a function once for each version (ETag) of each blob that matches, found by listing the container again and
 * again. A version that fails is tried five times in all, then named in the poison queue.
 */
export function watchBlobs(deps: Deps, fn: HostFunction): BlobListener {
  const { clock, log, container, intervalMs } = deps
  const stopping = new AbortController()
  const watcher = new BlobWatcher(deps, fn, stopping.signal)
  const loop = async () => {
    while (!stopping.signal.aborted) {
      try {
        await container.createIfNotExists()
        await watcher.lookOnce()
      } catch (error) {
        log.write('warning', fn.name, `${container.containerName} cannot be listed: ${messageOf(error)}`)
      }
      await sleepUntil(clock, clock.now() + intervalMs, stopping.signal)
    }
  }
  const ended = loop()
  return {
    stop: () => {
      stopping.abort()
      return ended
    },
    startByHand: (input) => void watcher.runByHand(input.slice(input.indexOf('/') + 1)),
  }
}

class BlobWatcher {
  /** Versions that are done with, so that a look at an unchanged container reads no receipts. */
  private readonly doneEtags = new Map<string, string>()

  constructor(
    private readonly deps: Deps,
    private readonly fn: HostFunction,
    private readonly stop: AbortSignal,
  ) {}

  async lookOnce(): Promise<void> {
    const { container, pattern, log } = this.deps
    const seen = new Set<string>()
    const inWork = new Set<Promise<void>>()
    for await (const item of container.listBlobsFlat({ prefix: pattern.prefix })) {
      if (this.stop.aborted) break
      const captures = pattern.match(item.name)
      if (!captures) continue
      seen.add(item.name)
      if (this.doneEtags.get(item.name) === item.properties.etag) continue
      const work: Promise<void> = this.handle(item, captures)
        .catch((error: unknown) => log.write('warning', this.fn.name, `${item.name}: ${messageOf(error)}`))
        .finally(() => inWork.delete(work))
      inWork.add(work)
      if (inWork.size >= CONCURRENCY_MAX) await Promise.race(inWork)
    }
    await Promise.all(inWork)
    // Deleted blobs must not be remembered for ever; their receipts stay, as on Azure.
    if (!this.stop.aborted) for (const name of this.doneEtags.keys()) if (!seen.has(name)) this.doneEtags.delete(name)
  }

  async runByHand(blobName: string): Promise<void> {
    const captures = this.deps.pattern.match(blobName) ?? {}
    const input = await this.read(blobName, captures).catch(() => undefined)
    if (input) await runLogged(this.deps, this.fn, input)
    else this.deps.log.write('error', this.fn.name, `there is no blob ${blobName}`)
  }

  private async handle({ name, properties: { etag } }: BlobItem, captures: Readonly<Record<string, string>>) {
    const { receipts } = this.deps
    const { failures, isDone } = await receipts.read(name, etag)
    const input = isDone ? undefined : await this.read(name, captures, etag)
    if (isDone || (input && (await runLogged(this.deps, this.fn, input)))) {
      if (!isDone) await receipts.write(name, etag, { failures, isDone: true })
      this.doneEtags.set(name, etag)
      return
    }
    // Overwritten or deleted since it was listed: the next look sees what there is then.
    if (!input) return
    const isLast = failures + 1 >= ATTEMPTS_MAX
    if (isLast) await this.sendPoison(name, etag)
    await receipts.write(name, etag, { failures: failures + 1, isDone: isLast })
  }

  private async read(name: string, captures: Readonly<Record<string, string>>, etag?: string) {
    const blob = this.deps.container.getBlobClient(name)
    try {
      const options = etag === undefined ? {} : { conditions: { ifMatch: etag } }
      const bytes = await blob.downloadToBuffer(0, undefined, options)
      const path = `${this.deps.container.containerName}/${name}`
      const metadata: Record<string, { string: string }> = {
        blobTrigger: { string: path },
        uri: { string: blob.url },
      }
      for (const [capture, value] of Object.entries(captures)) metadata[capture] = { string: value }
      return { data: { bytes }, metadata } satisfies TriggerInput
    } catch (error) {
      if (isStatus(error, 404, 412)) return undefined
      throw error
    }
  }

  private async sendPoison(blobName: string, etag: string): Promise<void> {
    const { poison, container, log } = this.deps
    log.write('warning', this.fn.name, `the blob ${blobName} failed ${ATTEMPTS_MAX} times and goes to ${poison.name}`)
    const message = {
      Type: 'BlobTrigger',
      FunctionId: this.fn.name,
      BlobType: 'BlockBlob',
      ContainerName: container.containerName,
      BlobName: blobName,
      ETag: etag,
    }
    await poison.createIfNotExists()
    await poison.sendMessage(Buffer.from(JSON.stringify(message)).toString('base64'))
  }
}
