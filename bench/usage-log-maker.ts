import type { ContainerClient } from '@azure/storage-blob'
import type { TenantId } from '../src/base/ids'
import { logBlobName } from '../src/metering/log-blob-name'
import { encodeIntent, encodeSettled } from '../src/metering/log-line'
import type { CallIntent, CallSettlement } from '../src/metering/usage-record'

/** What was written, to hold the roll-up against. */
export interface Written {
  readonly bytes: number
  readonly lines: number
  readonly blobs: number
  readonly callsByTenant: ReadonlyMap<TenantId, number>
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const BLOCK_BYTES = 4_000_000
/** As the log itself goes on to another blob. */
const BLOB_BYTES_MAX = 32 * 1024 * 1024
const PROGRESS_EVERY = 10_000
const CALLS_PER_HOUR = 8

export const tenantOf = (n: number): TenantId => `ten_${String(n).padStart(26, '0')}`

/**
 * Calls that came in one after the other within some minutes, over all tenants by Zipf's law, served by several instances in turn.
 * Each has both its lines, as calls have that take longer than a commit.
 */
export async function writeRecords(
  container: ContainerClient,
  options: {
    records: number
    tenants: number
    minutes: number
    instances: number
    seed: number
    /** Whether tenants call in turn rather than some far more than others. */
    everyone?: boolean
    /** What the instances are called, where several write into one hour: a blob that is made again is empty. */
    name?: string
  },
  startMs: number,
  onProgress: (records: number) => void,
): Promise<Written> {
  const { records, tenants, minutes, instances, seed, everyone = false, name = 'bench' } = options
  const chance = fractions(seed)
  const pick = zipf(tenants, chance)
  const writers = Array.from({ length: instances }, (_, i) => new BlobWriter(container, startMs, `ins_${name}${i}`))
  const callsByTenant = new Map<TenantId, number>()
  for (let n = 0; n < records; n++) {
    const tenantId = tenantOf(everyone ? n % tenants : pick())
    callsByTenant.set(tenantId, (callsByTenant.get(tenantId) ?? 0) + 1)
    const startedAt = startMs + Math.floor((n / records) * minutes * MINUTE_MS)
    await writers[n % instances]?.write(callOf({ n, tenantId, startedAt, chance }))
    if ((n + 1) % PROGRESS_EVERY === 0 || n + 1 === records) onProgress(n + 1)
  }
  for (const writer of writers) await writer.end()
  const sum = (of: (writer: BlobWriter) => number) => writers.reduce((total, writer) => total + of(writer), 0)
  return { bytes: sum(({ bytes }) => bytes), lines: 2 * records, blobs: sum(({ blobs }) => blobs), callsByTenant }
}

/** One busy hour of a day of every tenant, another one for each; and every hour of the first. */
export async function writeDay(
  container: ContainerClient,
  options: { tenants: number; startMs: number; nowMs: number; seed: number },
  onProgress: (hours: number) => void,
): Promise<void> {
  const { tenants, startMs, nowMs, seed } = options
  const chance = fractions(seed)
  let n = 0
  for (let hour = 0; hour < 24 && startMs + hour * HOUR_MS < nowMs; hour++) {
    const hourMs = startMs + hour * HOUR_MS
    const writer = new BlobWriter(container, hourMs, 'ins_month')
    for (let tenant = 0; tenant < tenants; tenant++) {
      if (tenant > 0 && tenant % 24 !== hour) continue
      for (let call = 0; call < CALLS_PER_HOUR; call++) {
        const startedAt = hourMs + (tenant === 0 ? call * 7 * MINUTE_MS : call * 100)
        await writer.write(callOf({ n: n++, tenantId: tenantOf(tenant), startedAt, chance }))
      }
    }
    await writer.end()
    onProgress(hour + 1)
  }
}

class BlobWriter {
  readonly #container: ContainerClient
  readonly #atMs: number
  readonly #instance: `ins_${string}`
  #name: string | undefined
  #blobBytes = 0
  #text: string[] = []
  #characters = 0
  bytes = 0
  blobs = 0

  constructor(container: ContainerClient, atMs: number, instance: `ins_${string}`) {
    this.#container = container
    this.#atMs = atMs
    this.#instance = instance
  }

  async write(text: string): Promise<void> {
    this.#text.push(text)
    this.#characters += text.length
    if (this.#characters >= BLOCK_BYTES) await this.#append()
  }

  async end(): Promise<void> {
    if (this.#characters > 0) await this.#append()
    await this.#seal()
  }

  async #append(): Promise<void> {
    if (this.#name === undefined) {
      this.#name = logBlobName(this.#atMs, this.#instance, ++this.blobs)
      await this.#container.getAppendBlobClient(this.#name).create()
    }
    const block = Buffer.from(this.#text.join(''))
    await this.#container.getAppendBlobClient(this.#name).appendBlock(block, block.length)
    this.bytes += block.length
    this.#blobBytes += block.length
    this.#text = []
    this.#characters = 0
    if (this.#blobBytes >= BLOB_BYTES_MAX) await this.#seal()
  }

  async #seal(): Promise<void> {
    if (this.#name !== undefined) await this.#container.getAppendBlobClient(this.#name).seal()
    this.#name = undefined
    this.#blobBytes = 0
  }
}

export function callOf(options: { n: number; tenantId: TenantId; startedAt: number; chance: () => number }): string {
  const { n, tenantId, startedAt, chance } = options
  const intent: CallIntent = {
    callId: `call_${String(n).padStart(26, '0')}`,
    startedAt,
    tenantId,
    keyId: `key_${String(Math.floor(chance() * 2)).padStart(26, '0')}`,
    alias: chance() < 0.8 ? 'chat' : 'chat-large',
    model: 'gpt-4.1-mini',
    operation: 'chat.completions',
    requestId: `call_${String(n).padStart(26, '0')}`,
    estimatedTokens: 1_200,
  }
  const firstByteMs = Math.round(Math.exp(5 + 1.5 * (chance() + chance() - 1)))
  const settlement: CallSettlement = {
    outcome: chance() < 0.98 ? 'completed' : 'failed',
    status: 200,
    backendId: `bke_${String(Math.floor(chance() * 2)).padStart(26, '0')}`,
    deployment: 'gpt-4.1-mini',
    region: 'swedencentral',
    usage: {
      promptTokens: Math.floor(chance() * 2_000),
      cachedTokens: 0,
      outputTokens: Math.floor(chance() * 500),
      reasoningTokens: 0,
    },
    estimated: false,
    costMicroUsd: Math.floor(chance() * 1_000),
    latencyMs: firstByteMs * 8,
    firstByteMs,
    attempts: 1,
    queuedMs: chance() < 0.9 ? 0 : Math.floor(chance() * 800),
  }
  return encodeIntent(intent) + encodeSettled(intent, settlement, false)
}

/** The n-th tenant makes a call with a chance of 1 ÷ (n + 1)^0.8. */
function zipf(tenants: number, chance: () => number): () => number {
  const sums: number[] = []
  let total = 0
  for (let n = 0; n < tenants; n++) sums.push((total += 1 / (n + 1) ** 0.8))
  return () => {
    const wanted = chance() * total
    let [from, to] = [0, tenants - 1]
    while (from < to) {
      const middle = (from + to) >>> 1
      if ((sums[middle] ?? 0) < wanted) from = middle + 1
      else to = middle
    }
    return from
  }
}

/** mulberry32: small, quick, and the same on every machine. */
export function fractions(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
