import type { Clock } from '../base/clock'
import type { TenantScope } from '../storage/tenant-scope'
import { CHECK_RULES, type Dataset, type DatasetState } from './dataset'
import type { DatasetReport } from './dataset-report'
import type { DatasetStore } from './dataset-store'
import type { ExampleSketch } from './example-sketch'
import { FaultPages } from './fault-pages'
import type { TrainingPricesAt } from './training-prices'
import { validateDataset } from './validate-dataset'

export interface ReadDatasetDeps {
  readonly store: Pick<DatasetStore, 'putFaults' | 'putReport' | 'putSketch'>
  readonly pricesAt: TrainingPricesAt
  readonly clock: Clock
}

/**
 * Reads the file of a dataset once and keeps what was found beside it; the dataset's own record is the caller's to change, last. Broken
 * off and repeated it writes the same: a file never changes, and reading it is determined by its bytes, and what
 * training costs by the day.
 */
export async function readDataset(
  { store, pricesAt, clock }: ReadDatasetDeps,
  scope: TenantScope,
  { id, method, baseModel, role, trainingType, epochs }: Dataset,
  content: AsyncIterable<Uint8Array>,
): Promise<{ state: DatasetState; report: DatasetReport; sketch: ExampleSketch }> {
  const pages = new FaultPages((page, faults) => store.putFaults(scope, id, page, faults))
  const options = { method, baseModel, role, scanPii: true, trainingType, prices: pricesAt(clock.now()) }
  const { report, sketch } = await validateDataset(
    content,
    epochs === undefined ? options : { ...options, epochs },
    pages,
  )
  await store.putSketch(scope, id, sketch)
  await store.putReport(scope, id, report)
  const { valid, contentHash, faults, totals, tokens, pii } = report
  const summary = {
    valid,
    contentHash,
    errors: faults.errors,
    warnings: faults.warnings,
    faultsKept: pages.kept,
    examples: totals.examples,
    tokens: tokens.total,
    piiLines: pii?.lines ?? 0,
  }
  return { state: { kind: 'validated', atMs: clock.now(), rules: CHECK_RULES, summary }, report, sketch }
}
