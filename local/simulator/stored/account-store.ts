import type { StoredBatch } from '../batches/stored-batch'
import { uploadStatus, type StoredUpload } from '../files/stored-upload'
import { fileStatus, type StoredFile } from '../files/stored-file'
import type { ResponseRun } from '../responses/response-run'

/** The oldest is forgotten; what a test or a demo asks for again is young. */
const RESPONSES_MAX = 10_000
const UPLOADS_MAX = 1_000
const BATCHES_MAX = 10_000
/** Above what callers may keep: what batches make is kept too. */
const FILES_KEPT_MAX = 20_000

/** What one account keeps between calls. Each collection is in the order in which its things were made. */
export interface AccountStore {
  readonly responses: KeptMap<ResponseRun>
  readonly files: KeptMap<StoredFile>
  readonly uploads: KeptMap<StoredUpload>
  readonly batches: KeptMap<StoredBatch>
}

export type CollectionName = keyof AccountStore

/** Things by their ids, the newest up to a bound. */
export class KeptMap<T> extends Map<string, T> {
  readonly #itemsMax: number

  constructor(itemsMax: number) {
    super()
    this.#itemsMax = itemsMax
  }

  override set(id: string, thing: T): this {
    super.set(id, thing)
    const [oldest] = this.keys()
    if (this.size > this.#itemsMax && oldest !== undefined) this.delete(oldest)
    return this
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
    }
    this.#stores.set(key, store)
    return store
  }

  /** How much there is of each collection, all accounts together. */
  counts(): Readonly<Record<CollectionName, number>> {
    const stores = [...this.#stores.values()]
    const count = (name: CollectionName) => stores.reduce((sum, store) => sum + store[name].size, 0)
    return {
      responses: count('responses'),
      files: count('files'),
      uploads: count('uploads'),
      batches: count('batches'),
    }
  }

  /** Everything that exists. */
  things(): KeptThing[] {
    const now = Date.now()
    return [...this.#stores].flatMap(([account, { responses, files, uploads, batches }]) => {
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
      ]
    })
  }

  /** What an account kept goes with it. */
  forget(account: string): void {
    this.#stores.delete(account.toLowerCase())
  }

  clear(): void {
    this.#stores.clear()
  }
}
