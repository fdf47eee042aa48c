import { assert } from '../../base/assert'
import { nothing, plus, type Amount } from '../../budgets/amount'
import { done } from '../../checklists/checklist'
import type { LateEntry } from '../../metering/late-usage'
import { RUN_MS_MAX, STEP_ATTEMPTS_MAX, type BatchDeps, type BatchStep } from '../batch-deps'
import { onBatch, type BatchRun } from '../batch-operation'
import { accountFileOf, outputKinds, type BatchMetering, type OutputKind } from '../batch-record'
import { lineEntry } from '../line-entry'
import { readLines } from '../read-lines'

/**
 * Each line that was run counts once in the usage log, before its answer can be read (I8): a file of the tenant's could be read,
 * and deleted, as soon as it is there.
 */
export const meterStep = (deps: BatchDeps): BatchStep => ({
  id: 'meter',
  timeoutMs: RUN_MS_MAX,
  attemptsMax: STEP_ATTEMPTS_MAX,
  do: onBatch(deps, async (run) => {
    const { scope, id } = run
    const hasAnswers = outputKinds.some((kind) => accountFileOf(run.record, kind) !== undefined)
    if (!hasAnswers || run.record.metering?.used) return done()
    const claimed = await deps.store.change(scope, id, (record) =>
      record.metering ? record : { ...record, metering: { atMs: deps.clock.now(), sequence: 0, skipped: 0 } },
    )
    const claim = claimed?.metering
    if (!claim) return done()
    const count = new Count(claim.skipped)
    const { atMs, sequence } = claim
    const result = await deps.lateUsage.record({ id, atMs, sequence }, count.of(entries(deps, run, claim)))
    const next: BatchMetering =
      result.kind === 'recorded'
        ? { ...claim, used: count.used }
        : { atMs: deps.clock.now(), sequence: sequence + 1, skipped: claim.skipped + result.entries }
    await deps.store.change(scope, id, (record) =>
      // Who was slower with the same claim has the same to say.
      record.metering?.sequence === sequence && !record.metering.used ? { ...record, metering: next } : record,
    )
    return next.used ? done() : { kind: 'not-yet', againAfterMs: 0 }
  }),
})

/** Adds up all entries, and hands on those that count under this claim. */
class Count {
  used: Amount = nothing
  readonly #skipped: number

  constructor(skipped: number) {
    this.#skipped = skipped
  }

  async *of(entries: AsyncIterable<LateEntry>): AsyncGenerator<LateEntry> {
    let number = 0
    for await (const entry of entries) {
      const { usage, costMicroUsd = 0 } = entry.settlement
      this.used = plus(this.used, { tokens: usage.promptTokens + usage.outputTokens, microUsd: costMicroUsd })
      number += 1
      if (number > this.#skipped) yield entry
    }
  }
}

/** Of both files as the account has them, in their order: the same each time, and nobody else can change or delete them. */
async function* entries(deps: BatchDeps, run: BatchRun, { atMs }: BatchMetering): AsyncGenerator<LateEntry> {
  const { scope, record } = run
  const { work } = record
  assert(work, 'a batch that was run was found sound')
  const context = { tenantId: scope.tenantId, record, work, atMs, batchCostOf: deps.batchCostOf }
  for (const kind of outputKinds) {
    const content = await contentOf(deps, run, kind)
    if (content) for await (const { bytes } of readLines(content)) yield lineEntry(bytes, context)
  }
}

async function contentOf(
  deps: BatchDeps,
  { id, record }: BatchRun,
  kind: OutputKind,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const accountFileId = accountFileOf(record, kind)
  const account = record.work?.account
  if (!account || accountFileId === undefined) return undefined
  const found = await deps.outputs.content(account, accountFileId)
  if (found.kind === 'content') return found.content
  if (found.kind === 'unsure') throw new Error(`a batch’s file could not be fetched: ${found.detail}`)
  deps.log.error('a batch’s usage is lost: its account has no such file', { batchId: id, answer: found.kind })
  return undefined
}
