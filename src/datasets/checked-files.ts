import type { Clock } from '../base/clock'
import type { CallerId, FileId, IdMaker } from '../base/ids'
import type { FileRecord } from '../files/file-record'
import type { Files } from '../files/files'
import type { TenantScope } from '../storage/tenant-scope'
import { CHECK_RULES, type Dataset } from './dataset'
import type { DatasetReport, DatasetRole } from './dataset-report'
import type { DatasetStore } from './dataset-store'
import { fileOf, isFull } from './datasets'
import { plannedAnew } from './estimate-training'
import type { ExampleSketch } from './example-sketch'
import { findLeakage, type LeakageReport } from './find-leakage'
import { readDataset } from './read-dataset'
import { familyOf, type TrainingMethod } from './training-models'
import type { TrainingPricesAt, TrainingType } from './training-prices'
import { validateDataset } from './validate-dataset'

/** Files as jobs need them: read, by themselves or by whoever registered them before. */
export interface CheckedFiles {
  /** A file whose content was read by the same rules before is not read again. Throws where another attempt may do better. */
  check(scope: TenantScope, wanted: WantedFile): Promise<CheckedFile>
  /** Which examples are in both; kept with the training dataset too. Undefined where what is needed is deleted meanwhile. */
  compare(scope: TenantScope, both: { training: ReadFile; validation: ReadFile }): Promise<LeakageReport | undefined>
}

export interface WantedFile {
  readonly fileId: FileId
  readonly by: CallerId
  readonly method: TrainingMethod
  readonly baseModel: string
  readonly role: DatasetRole
  readonly trainingType: TrainingType
  readonly epochs: number | undefined
}

export type CheckedFile =
  | {
      readonly kind: 'checked'
      /** With the figures of the wanted training. */
      readonly report: DatasetReport
      /** Undefined where it could not be kept, since the tenant has so many. */
      readonly dataset: Dataset | undefined
      readonly sketch: () => Promise<ExampleSketch | undefined>
    }
  | { readonly kind: 'missing' }
  /** Somebody else reads it at the moment. */
  | { readonly kind: 'busy' }

export type ReadFile = Extract<CheckedFile, { kind: 'checked' }>

export interface CheckedFilesDeps {
  readonly store: DatasetStore
  readonly files: Pick<Files, 'get' | 'read'>
  readonly pricesAt: TrainingPricesAt
  readonly ids: Pick<IdMaker, 'datasetId'>
  readonly clock: Clock
}

/** Longer than any file is read: then who began it has given up, or will soon. */
const READING_MS_MAX = 15 * 60_000

export function createCheckedFiles(deps: CheckedFilesDeps): CheckedFiles {
  const { store, files, pricesAt, ids, clock } = deps

  /** The kept one that is as good as reading the file; else one that is there to be read. */
  const knownOf = async (scope: TenantScope, file: FileRecord, wanted: WantedFile) => {
    let unread: Dataset | undefined
    for await (const dataset of store.list(scope)) {
      if (!isOfTraining(dataset, wanted)) continue
      if (isReadAlready(dataset, file)) return dataset
      if (dataset.file.id === file.id && dataset.state.kind === 'validating') unread ??= dataset
    }
    return unread
  }
  const freshOf = async (scope: TenantScope, file: FileRecord, wanted: WantedFile): Promise<Dataset | undefined> => {
    const nowMs = clock.now()
    const { fileId: _, epochs, ...training } = wanted
    const dataset: Dataset = {
      ...training,
      id: ids.datasetId(),
      createdAt: nowMs,
      origin: 'job',
      file: fileOf(file),
      ...(epochs === undefined ? {} : { epochs }),
      state: { kind: 'validating', sinceMs: nowMs },
    }
    if (await isFull(store, scope)) return undefined
    await store.insert(scope, dataset)
    return dataset
  }

  return {
    check: async (scope, wanted) => {
      const { fileId, epochs, trainingType, baseModel } = wanted
      const plan = { epochs, trainingType, baseModel, prices: pricesAt(clock.now()) }
      const file = await files.get(scope, fileId)
      if (!file) return { kind: 'missing' }
      const known = await knownOf(scope, file, wanted)
      if (known?.state.kind === 'validated') {
        const report = await store.report(scope, known.id)
        const sketch = () => store.sketch(scope, known.id)
        // Undefined where it is being deleted at this moment: then it is read anew.
        if (report) return { kind: 'checked', report: plannedAnew(report, plan), dataset: known, sketch }
      }
      const isRead = known?.state.kind === 'validating' && clock.now() - known.state.sinceMs < READING_MS_MAX
      if (isRead && known.origin === 'registered') return { kind: 'busy' }
      const dataset = known?.state.kind === 'validating' ? known : await freshOf(scope, file, wanted)
      const content = (await files.read(scope, fileId))?.content
      if (!content) return { kind: 'missing' }
      if (!dataset) return readOnly(deps, wanted, content)
      const { state, report, sketch } = await readDataset(deps, scope, dataset, content)
      const kept = await store.change(scope, dataset.id, (before) => ({ ...before, state }))
      if (!kept) await store.remove(scope, dataset.id)
      return { kind: 'checked', report: plannedAnew(report, plan), dataset: kept, sketch: async () => sketch }
    },
    compare: async (scope, { training, validation }) => {
      const [learned, held] = await Promise.all([training.sketch(), validation.sketch()])
      if (!learned || !held) return undefined
      const found = findLeakage(learned, held)
      const validationId = validation.dataset?.id
      if (training.dataset && validationId !== undefined) {
        const leakage = { ...found, validationId, atMs: clock.now() }
        await store.change(scope, training.dataset.id, (before) => ({ ...before, leakage }))
      }
      return found
    },
  }
}

const isOfTraining = ({ method, baseModel, role }: Dataset, wanted: WantedFile) =>
  method === wanted.method && role === wanted.role && familyOf(baseModel) === familyOf(wanted.baseModel)

/** The file itself, or one of the same bytes. */
function isReadAlready({ state, file: read }: Dataset, { id, contentHash }: FileRecord): boolean {
  if (state.kind !== 'validated' || state.rules !== CHECK_RULES) return false
  const { contentHash: readHash } = state.summary
  return readHash !== undefined && (read.id === id || readHash === contentHash)
}

async function readOnly(
  { pricesAt, clock }: CheckedFilesDeps,
  { method, baseModel, role, trainingType, epochs }: WantedFile,
  content: AsyncIterable<Uint8Array>,
): Promise<CheckedFile> {
  const options = { method, baseModel, role, scanPii: true, trainingType, prices: pricesAt(clock.now()) }
  const { report, sketch } = await validateDataset(content, epochs === undefined ? options : { ...options, epochs })
  return { kind: 'checked', report, dataset: undefined, sketch: async () => sketch }
}
