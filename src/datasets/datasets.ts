import type { Clock } from '../base/clock'
import type { CallerId, DatasetId, FileId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Files } from '../files/files'
import type { TenantScope } from '../storage/tenant-scope'
import { TRAINING_PURPOSE, type Dataset, type DatasetConsent, type DatasetFile, type DatasetLeakage } from './dataset'
import { DATASETS_MAX, FAULTS_PAGE } from './dataset-bounds'
import type { DatasetReport, DatasetRole } from './dataset-report'
import type { DatasetStore } from './dataset-store'
import type { Fault } from './fault-list'
import { findLeakage } from './find-leakage'
import { readDataset } from './read-dataset'
import { trainingModelOf, type TrainingMethod } from './training-models'
import type { TrainingPricesAt, TrainingType } from './training-prices'

/** A tenant's files as training and validation data. A dataset of another tenant, or a file, is one that never was (I3). */
export interface Datasets {
  /** Repeated with the same id it answers with what is there. Somebody has to have it validated. */
  create(scope: TenantScope, by: CallerId, asked: NewDataset): Promise<Dataset | Problem>
  get(scope: TenantScope, id: DatasetId): Promise<Dataset | undefined>
  /** The newest first. */
  page(scope: TenantScope, query: { after: DatasetId | undefined; limit: number }): Promise<DatasetPage>
  /** Undefined while there is none. */
  report(scope: TenantScope, id: DatasetId): Promise<DatasetReport | undefined>
  /** In the order of the file, behind the first `after` of them. */
  faults(scope: TenantScope, id: DatasetId, query: { after: number; limit: number }): Promise<readonly Fault[]>
  /** What examples of the validation dataset are trained on; kept with the training dataset. Undefined where there is no such dataset. */
  leakage(scope: TenantScope, id: DatasetId, validationId: DatasetId): Promise<DatasetLeakage | Problem | undefined>
  /** Null withdraws it, for jobs that are made from then on. */
  consent(scope: TenantScope, id: DatasetId, by: CallerId | null): Promise<Dataset | undefined>
  /** That which holds for all of the files; undefined where one of them has none. */
  consentFor(scope: TenantScope, fileIds: readonly FileId[]): Promise<DatasetConsent | undefined>
  /** Not the file. False where there was none. */
  remove(scope: TenantScope, id: DatasetId): Promise<boolean>
  /** Reads the file to its end; one that is read already is not read again. Throws where another attempt may do better. */
  validate(scope: TenantScope, id: DatasetId): Promise<Dataset | undefined>
  /** It cannot be read, for whatever reason. */
  fail(scope: TenantScope, id: DatasetId): Promise<void>
}

export interface NewDataset {
  readonly id: DatasetId
  readonly fileId: FileId
  readonly baseModel: string
  /** The first that the model can be trained by, where absent. */
  readonly method?: TrainingMethod | undefined
  readonly role: DatasetRole
  readonly trainingType: TrainingType
  readonly epochs?: number | undefined
  readonly validationId?: DatasetId | undefined
  readonly hasConsent: boolean
}

export interface DatasetPage {
  readonly datasets: readonly Dataset[]
  readonly hasMore: boolean
}

export interface DatasetsDeps {
  readonly store: DatasetStore
  readonly files: Pick<Files, 'get' | 'read'>
  readonly pricesAt: TrainingPricesAt
  readonly clock: Clock
}

export function createDatasets(deps: DatasetsDeps): Datasets {
  const { store, files, clock } = deps
  return {
    create: async (scope, by, asked) => {
      const known = await store.get(scope, asked.id)
      if (known) return known
      const dataset = await newDataset(deps, scope, by, asked)
      if (dataset instanceof Problem) return dataset
      return (await store.insert(scope, dataset)) ? dataset : ((await store.get(scope, asked.id)) ?? dataset)
    },
    get: store.get,
    page: async (scope, { after, limit }) => {
      const found: Dataset[] = []
      for await (const dataset of store.list(scope, after)) if (found.push(dataset) > limit) break
      return { datasets: found.slice(0, limit), hasMore: found.length > limit }
    },
    report: store.report,
    faults: (scope, id, query) => faultsBehind(store, scope, id, query),
    leakage: async (scope, id, validationId) => {
      const [training, validation] = await Promise.all([store.get(scope, id), store.get(scope, validationId)])
      if (!training) return undefined
      const problem = incomparable(training, validation)
      if (problem) return problem
      const [learned, held] = await Promise.all([store.sketch(scope, id), store.sketch(scope, validationId)])
      if (!learned || !held) return notValidated
      const leakage: DatasetLeakage = { ...findLeakage(learned, held), validationId, atMs: clock.now() }
      await store.change(scope, id, (before) => ({ ...before, leakage }))
      return leakage
    },
    consent: (scope, id, by) =>
      store.change(scope, id, ({ consent, ...before }) => {
        if (by === null) return before
        return { ...before, consent: consent ?? consentOf(by, clock) }
      }),
    consentFor: async (scope, fileIds) => {
      const wanted = new Map<FileId, DatasetConsent | undefined>(fileIds.map((id) => [id, undefined]))
      for await (const { file, consent } of store.list(scope))
        if (consent && wanted.has(file.id)) wanted.set(file.id, consent)
      const given = [...wanted.values()]
      return given.every((consent) => consent !== undefined) ? given[0] : undefined
    },
    remove: async (scope, id) => {
      if (!(await store.get(scope, id))) return false
      await store.remove(scope, id)
      return true
    },
    validate: async (scope, id) => {
      const dataset = await store.get(scope, id)
      if (dataset?.state.kind !== 'validating') return dataset
      const file = await files.read(scope, dataset.file.id)
      if (!file) return store.change(scope, id, (before) => failed(before, fileIsGone, clock.now()))
      const { state } = await readDataset(deps, scope, dataset, file.content)
      const next = await store.change(scope, id, (before) => ({ ...before, state }))
      // Deleted while it was read: then nobody knows of what was kept since.
      if (!next) await store.remove(scope, id)
      return next
    },
    fail: async (scope, id) => {
      await store.change(scope, id, (before) => failed(before, notRead, clock.now()))
    },
  }
}

async function newDataset(
  { store, files, clock }: DatasetsDeps,
  scope: TenantScope,
  by: CallerId,
  asked: NewDataset,
): Promise<Dataset | Problem> {
  const { id, fileId, baseModel, role, trainingType, epochs, validationId, hasConsent } = asked
  const file = await files.get(scope, fileId)
  // An id of nobody's, of another tenant's and of a deleted file are alike (I3).
  if (!file) return invalid('file', 'names no file of yours')
  if (file.purpose !== 'fine-tune') return invalid('file', 'must have been uploaded with the purpose "fine-tune"')
  const known = trainingModelOf(baseModel)
  if (!known) return invalid('baseModel', `'${baseModel.slice(0, 100)}' is no model that can be trained`)
  const method = asked.method ?? known.methods[0]
  if (method === undefined || !known.methods.includes(method))
    return invalid('method', `must be one that the model can be trained by: ${known.methods.join(', ')}`)
  if (validationId !== undefined) {
    if (role !== 'training') return invalid('validation', 'is of training data only')
    const validation = await store.get(scope, validationId)
    if (validation?.role !== 'validation') return invalid('validation', 'names no validation dataset of yours')
  }
  if (await isFull(store, scope)) return tooMany
  const nowMs = clock.now()
  return {
    id,
    createdAt: nowMs,
    by,
    origin: 'registered',
    file: fileOf(file),
    method,
    baseModel,
    role,
    trainingType,
    ...(epochs === undefined ? {} : { epochs }),
    ...(validationId === undefined ? {} : { validationId }),
    ...(hasConsent ? { consent: consentOf(by, clock) } : {}),
    state: { kind: 'validating', sinceMs: nowMs },
  }
}

export const fileOf = ({ id, filename, bytes }: DatasetFile): DatasetFile => ({ id, filename, bytes })

export async function isFull(store: Pick<DatasetStore, 'list'>, scope: TenantScope): Promise<boolean> {
  let count = 0
  for await (const { id } of store.list(scope)) if (id && ++count >= DATASETS_MAX) return true
  return false
}

async function faultsBehind(
  store: DatasetStore,
  scope: TenantScope,
  id: DatasetId,
  { after, limit }: { after: number; limit: number },
): Promise<readonly Fault[]> {
  const found: Fault[] = []
  for (let page = Math.floor(after / FAULTS_PAGE); found.length < limit; page++) {
    const faults = await store.faults(scope, id, page)
    found.push(...faults.slice(Math.max(0, after - page * FAULTS_PAGE)))
    if (faults.length < FAULTS_PAGE) break
  }
  return found.slice(0, limit)
}

function incomparable(training: Dataset, validation: Dataset | undefined): Problem | undefined {
  if (!validation) return invalid('validation', 'names no dataset of yours')
  if (training.role !== 'training' || validation.role !== 'validation')
    return invalid('validation', 'must be validation data, compared with training data')
  const areRead = training.state.kind === 'validated' && validation.state.kind === 'validated'
  return areRead ? undefined : notValidated
}

const consentOf = (by: CallerId, clock: Clock): DatasetConsent => ({
  purpose: TRAINING_PURPOSE,
  by,
  atMs: clock.now(),
})

const failed = (dataset: Dataset, { code, message }: { code: string; message: string }, atMs: number): Dataset =>
  dataset.state.kind === 'validating' ? { ...dataset, state: { kind: 'failed', atMs, code, message } } : dataset

const fileIsGone = {
  code: 'file_not_found',
  message: 'The file was deleted before it was read. Upload it again and register it anew.',
}
const notRead = { code: 'internal_error', message: 'The file could not be read. Register it again.' }

const notValidated = new Problem('conflict', 'Both datasets have to be validated first.')
const tooMany = new Problem(
  'insufficient_quota',
  `The tenant has ${DATASETS_MAX} datasets, which is the most. Delete some of them.`,
)
const invalid = (param: string, text: string) => new Problem('invalid_request', `'${param}' ${text}.`, { param })
