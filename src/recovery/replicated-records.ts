import type { DatasetId, FileId, TuningJobId } from '../base/ids'
import type { Dataset } from '../datasets/dataset'
import { prefixOf } from '../files/contents'
import { recordIdOf, type StoredFile } from '../files/file-store'
import type { ModelVersion } from '../registry/model-version'
import type { TenantScope } from '../storage/tenant-scope'
import type { TuningJob } from '../tuning/tuning-job'

/** Which of a tenant's sealed records are replicated, by their ids. */
export interface ReplicatedRecords {
  has(id: string): boolean
}

/** What the replica is chosen by; everything is opened with the tenant's key, and nothing of it leaves this process. */
export interface ReferenceReaders {
  readonly jobs: { list(scope: TenantScope, after?: TuningJobId): AsyncIterable<TuningJob> }
  readonly datasets: { list(scope: TenantScope, after?: DatasetId): AsyncIterable<Dataset> }
  readonly registry: { list(scope: TenantScope): AsyncIterable<ModelVersion> }
  readonly files: { get(scope: TenantScope, id: FileId): Promise<StoredFile | undefined> }
}

/**
 * Records that say how models came to be and who may use them. Whole, whatever they are about. What is not here can be
 * made anew (answers of evaluations), or is no part of fine-tuning (batches, responses).
 */
const WHOLE = [
  'consents-',
  'datasets-',
  'datasetreports-',
  'datasetfaults-',
  'datasetsketches-',
  'modelfamilies-',
  'modelroutes-',
  'models-',
  'sharedaliases-',
  'tuningcheckpoints-',
  'tuningevents-',
  'tuningjobs-',
  'tuningreports-',
] as const

/** Of one tenant: more jobs and datasets than these have no limit of their own, and each names at most four files. */
const FILES_MAX = 100_000

/** What jobs, datasets and models of the tenant refer to, as it is at this moment. */
export async function replicatedRecords(readers: ReferenceReaders, scope: TenantScope): Promise<ReplicatedRecords> {
  const files = new Set<FileId>()
  for await (const { order, wishes, resultFileId } of readers.jobs.list(scope))
    addAll(files, [order.trainingFileId, order.validationFileId, wishes.evaluate?.fileId, resultFileId])
  for await (const { file } of readers.datasets.list(scope)) addAll(files, [file.id])
  for await (const { lineage, training } of readers.registry.list(scope))
    addAll(files, [lineage.training.fileId, lineage.validation?.fileId, training.resultFileId])
  if (files.size > FILES_MAX)
    throw new Error(`the tenant's jobs refer to ${files.size} files; ${FILES_MAX} is the most`)

  const records = new Set<string>()
  const chunks = new Set<string>()
  for (const id of files) {
    records.add(recordIdOf(id))
    for (const piece of (await readers.files.get(scope, id))?.pieces ?? []) chunks.add(prefixOf(piece.id))
  }
  return {
    has: (id) => {
      if (id.startsWith(CHUNK)) return chunks.has(id.slice(0, id.lastIndexOf('-') + 1))
      return id.startsWith(FILE) ? records.has(id) : WHOLE.some((prefix) => id.startsWith(prefix))
    },
  }
}

const CHUNK = 'filechunk-'
const FILE = 'file-'

function addAll(files: Set<FileId>, ids: readonly (FileId | undefined)[]): void {
  for (const id of ids) if (id) files.add(id)
}
