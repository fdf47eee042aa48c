import type { StoredBatch } from '../batches/stored-batch'
import { uploadStatus, type StoredUpload } from '../files/stored-upload'
import { fileStatus, type StoredFile } from '../files/stored-file'
import type { StoredJob } from '../fine-tuning/stored-job'
import type { TunedModel } from '../fine-tuning/tuned-model'
import type { ResponseRun } from '../responses/response-run'

/** The oldest is forgotten; what a test or a demo asks for again is young. */
const RESPONSES_MAX = 10_000
const UPLOADS_MAX = 1_000
const BATCHES_MAX = 10_000
/** Above what callers may keep at once. */
const JOBS_MAX = 10_000
/** With the checkpoints of jobs. */
const MODELS_MAX = 10_000
/** Above what callers may keep: what batches make is kept too. */
const FILES_KEPT_MAX = 20_000

/** A tuned model in the state file. */
export interface SavedModel {
  readonly account: string
  readonly model: TunedModel
}

const SAVED_EXAMPLES_MAX = 500

/** What one account keeps between calls. Each collection is in the order in which its things were made. */
export interface AccountStore {
  readonly responses: KeptMap<ResponseRun>
  readonly files: KeptMap<StoredFile>
  readonly uploads: KeptMap<StoredUpload>
  readonly batches: KeptMap<StoredBatch>
  readonly jobs: KeptMap<StoredJob>
  /** Tuned models and checkpoints, by their names. */
  readonly models: KeptMap<TunedModel>
}

export type CollectionName = keyof AccountStore | 'checkpoints'

/** Things by their ids, the newest up to a bound. */
export class KeptMap<T> extends Map<string, T> {
  readonly #itemsMax: number
  readonly #changed: () => void

  constructor(itemsMax: number, changed: () => void = () => {}) {
    super()
    this.#itemsMax = itemsMax
    this.#changed = changed
  }

  override set(id: string, thing: T): this {
    super.set(id, thing)
    const [oldest] = this.keys()
    if (this.size > this.#itemsMax && oldest !== undefined) super.delete(oldest)
    this.#changed()
    return this
  }

  override delete(id: string): boolean {
    const was = super.delete(id)
    if (was) this.#changed()
    return was
  }
}

/** One thing that exists, for tests that ask whether anything was left behind. */
export interface KeptThing {
  readonly account: string
  readonly collection: CollectionName
  readonly id: string
  readonly status: string
}

/** What all accounts keep. Accounts are met in any case, as Resource Manager meets them. */
export class AccountStores {
  /** Told whenever a tuned model is made or deleted. */
  modelsChanged: () => void = () => {}
  readonly #stores = new Map<string, AccountStore>()

  of({ name }: { readonly name: string }): AccountStore {
    const key = name.toLowerCase()
    const known = this.#stores.get(key)
    if (known !== undefined) return known
    const store = {
      responses: new KeptMap<ResponseRun>(RESPONSES_MAX),
      files: new KeptMap<StoredFile>(FILES_KEPT_MAX),
      uploads: new KeptMap<StoredUpload>(UPLOADS_MAX),
      batches: new KeptMap<StoredBatch>(BATCHES_MAX),
      jobs: new KeptMap<StoredJob>(JOBS_MAX),
      models: new KeptMap<TunedModel>(MODELS_MAX, () => this.modelsChanged()),
    }
    this.#stores.set(key, store)
    return store
  }

  /** How much there is of each collection, all accounts together. */
  counts(): Readonly<Record<CollectionName, number>> {
    const stores = [...this.#stores.values()]
    const count = (name: keyof AccountStore) => stores.reduce((sum, store) => sum + store[name].size, 0)
    const models = stores.flatMap((store) => [...store.models.values()])
    const checkpoints = models.filter(isCheckpoint).length
    return {
      responses: count('responses'),
      files: count('files'),
      uploads: count('uploads'),
      batches: count('batches'),
      jobs: count('jobs'),
      models: models.length - checkpoints,
      checkpoints,
    }
  }

  /** What each tuned model was taught, word for word as far as it is remembered: for tests that ask what left the platform. */
  learned(): { readonly account: string; readonly id: string; readonly learned: TunedModel['learned'] }[] {
    return [...this.#stores].flatMap(([account, { models }]) =>
      [...models.values()].flatMap((model) =>
        isCheckpoint(model) ? [] : [{ account, id: model.id, learned: model.learned }],
      ),
    )
  }

  /** Everything that exists. */
  things(): KeptThing[] {
    const now = Date.now()
    return [...this.#stores].flatMap(([account, { responses, files, uploads, batches, jobs, models }]) => {
      const things = <T extends { readonly id: string }>(
        collection: CollectionName,
        kept: Iterable<T>,
        statusOf: (thing: T) => string,
      ) => [...kept].map((thing) => ({ account, collection, id: thing.id, status: statusOf(thing) }))
      return [
        ...things('responses', responses.values(), ({ status }) => status),
        ...things('files', files.values(), (file) => fileStatus(file, now)),
        ...things('batches', batches.values(), ({ status }) => status),
        ...things('uploads', uploads.values(), (upload) => uploadStatus(upload, now)),
        ...things('jobs', jobs.values(), (job) => job.status('v1')),
        ...things(
          'models',
          [...models.values()].filter((model) => !isCheckpoint(model)),
          () => 'succeeded',
        ),
        ...things('checkpoints', [...models.values()].filter(isCheckpoint), () => 'succeeded'),
      ]
    })
  }

  /** Whether a store is still that of its account: a reset and the end of an account forget it. */
  isKept(account: string, store: AccountStore): boolean {
    return this.#stores.get(account.toLowerCase()) === store
  }

  /** What of the tuned models outlives a restart: of what they know, as much as a small file holds. */
  savedModels(): SavedModel[] {
    return [...this.#stores].flatMap(([account, { models }]) =>
      [...models.values()].map((model) => ({ account, model: { ...model, learned: briefly(model.learned) } })),
    )
  }

  restoreModels(saved: readonly SavedModel[]): void {
    for (const { account, model } of saved) this.of({ name: account }).models.set(model.id, model)
  }

  /** What an account kept goes with it. */
  forget(account: string): void {
    this.#stores.delete(account.toLowerCase())
  }

  clear(): void {
    this.#stores.clear()
  }
}

const briefly = (learned: TunedModel['learned']) => learned.slice(0, SAVED_EXAMPLES_MAX)

const isCheckpoint = ({ checkpointStep }: TunedModel): boolean => checkpointStep !== undefined
