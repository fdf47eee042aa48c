import { randomUUID } from 'node:crypto'
import type { Deployment } from '../deployment'
import { invalidRequest } from '../errors'
import { newDraft } from '../exchange'
import { newFileId } from '../files/stored-file'
import type { ModelAccount } from '../model-account'
import { InvalidRequest } from '../request-fields'
import type { Resource } from '../resource'
import { serveModel } from '../serve-model'
import type { AccountStore } from '../stored/account-store'
import { nowMs } from '../ticker-wheel'
import { LineExchange, type LineAnswer } from './line-exchange'
import type { ReadLines } from './read-lines'
import type { BatchLine, StoredBatch } from './stored-batch'

/** Lines begun at once, so that a large batch leaves room for other calls. */
const TURN_LINES_MAX = 64

export interface BatchRun {
  readonly resource: Resource
  readonly account: ModelAccount
  readonly store: AccountStore
  readonly batch: StoredBatch
}

/** Takes a batch from its validation to its end, at the pace of the configuration. */
export function runBatch(run: BatchRun, read: ReadLines): void {
  const { resource, batch } = run
  const later = (delayMs: number, next: () => void) =>
    resource.wheel.at(nowMs() + delayMs, () => {
      if (isKept(run)) next()
    })
  const { validatingMs, linesPerSecond, finalizingMs } = resource.config.batches
  const output: string[] = []
  const errors: string[] = []
  let begun = 0

  const finalize = () => {
    if (batch.status === 'in_progress') batch.become('finalizing')
    later(finalizingMs, () => {
      keepOutput(run, output, errors)
      batch.become(batch.status === 'cancelling' ? 'cancelled' : 'completed')
    })
  }
  const begin = (lines: readonly BatchLine[], deployment: Deployment, startedMs: number) => {
    const due = linesPerSecond === 0 ? lines.length : Math.floor(((nowMs() - startedMs) / 1_000) * linesPerSecond) + 1
    const until = batch.status === 'cancelling' ? begun : Math.min(lines.length, due, begun + TURN_LINES_MAX)
    for (const line of lines.slice(begun, until)) {
      serveLine(run, deployment, line, (answer) => (answer.ok ? output : errors).push(answer.text))
    }
    begun = until
    const waiting = batch.completed + batch.failed < begun
    const over = begun === lines.length || batch.status === 'cancelling'
    if (over && !waiting) return finalize()
    const nextMs = linesPerSecond === 0 || over ? 0 : startedMs + (begun / linesPerSecond) * 1_000 - nowMs()
    later(nextMs, () => begin(lines, deployment, startedMs))
  }
  later(validatingMs, () => {
    if (batch.status === 'cancelling') return finalize()
    if (read.kind === 'invalid') return batch.refuse(read.errors)
    batch.total = read.lines.length
    batch.become('in_progress')
    begin(read.lines, read.deployment, nowMs())
  })
}

/** A reset forgets batches: what they would still do concerns nobody. */
const isKept = ({ store, batch, resource, account }: BatchRun): boolean =>
  resource.stores.of(account) === store && store.batches.get(batch.id) === batch

/** Runs one line through the engine that serves calls. A batch waits for no limit and takes no latency. */
function serveLine(
  { resource, account, batch }: BatchRun,
  deployment: Deployment,
  { customId, body }: BatchLine,
  told: (line: { ok: boolean; text: string }) => void,
): void {
  const { operation, clientRequestId } = batch.order
  const record = newDraft({
    work: 'batch-line',
    id: randomUUID(),
    account: account.name,
    path: '/openai/batches',
    operation,
    deployment: deployment.name,
    batchId: batch.id,
    customId,
    clientRequestId,
  })
  const startedMs = nowMs()
  const exchange = new LineExchange(record, (answer, outcome) => {
    resource.ledger.add({ ...record, durationMs: nowMs() - startedMs, outcome })
    const ok = answer.kind === 'answer' && answer.status < 400
    if (ok) batch.completed++
    else batch.failed++
    batch.tokens.input += record.promptTokens
    batch.tokens.cached += record.cachedTokens
    batch.tokens.output += record.outputTokens
    batch.tokens.reasoning += record.reasoningTokens
    told({ ok, text: lineOf(record.id, customId, answer) })
  })
  try {
    if (body['stream'] === true || body['background'] === true) throw new InvalidRequest(notInBatches)
    serveModel({
      resource,
      account,
      exchange,
      operation,
      deployment: { ...deployment, config: { ...deployment.config, ...online } },
      body,
      files: [],
      dialect: 'azure',
      apiVersion: 'v1',
      headerFaults: [],
    })
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error
    exchange.refuse(error.refusal)
  }
}

const notInBatches = invalidRequest("'stream' and 'background' are not supported in batches.", { param: 'stream' })
const online = {
  admission: { kind: 'unlimited' },
  latency: { firstTokenMs: 0, tokensPerSecond: 0, jitter: 0 },
} as const

function lineOf(requestId: string, customId: string, answer: LineAnswer): string {
  const id = JSON.stringify(customId)
  if (answer.kind === 'lost') {
    const { code, message } = answer
    return `{"custom_id":${id},"response":null,"error":${JSON.stringify({ code, message })}}\n`
  }
  const { status, body } = answer
  const response = `{"request_id":"${requestId}","status_code":${status},"body":${body}}`
  return `{"custom_id":${id},"response":${response},"error":null}\n`
}

/** A batch that was run has both files, whether or not anything stands in them; a cancelled one has what it came to. */
function keepOutput({ store, batch }: BatchRun, output: readonly string[], errors: readonly string[]): void {
  const cancelled = batch.status === 'cancelling'
  const { outputExpiresAfterSeconds } = batch.order
  const now = Date.now()
  const keep = (lines: readonly string[], kind: 'output' | 'error') => {
    if (cancelled && lines.length === 0) return null
    const id = newFileId('service')
    const expiresAt = outputExpiresAfterSeconds === undefined ? undefined : now + outputExpiresAfterSeconds * 1_000
    const filename = `${batch.id}_${kind}.jsonl`
    const bytes = Buffer.from(lines.join(''))
    store.files.set(id, { id, filename, purpose: 'batch_output', bytes, createdAt: now, expiresAt, processedAt: now })
    return id
  }
  batch.outputFileId = keep(output, 'output')
  batch.errorFileId = keep(errors, 'error')
}
