import type { Clock } from '../base/clock'
import type { BackendId, TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { Problem } from '../base/problem'
import { createStaleCache } from '../base/stale-cache'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { isBackendFor, type Backend } from './backend'
import type { BackendInput, BackendPatch } from './backend-input'

/** The platform's backends: a cached view of all for the data path, and changes for operators. */
export interface Backends {
  /** All of them, at once after the first read; never older than 60 s. */
  all(): ReadonlyMap<BackendId, Backend> | Promise<ReadonlyMap<BackendId, Backend>>
  /** As storage has them now, for whoever misses one: read anew at most once a second, whoever asks. */
  anew(): Promise<ReadonlyMap<BackendId, Backend>>
  get(id: BackendId): Backend | undefined | Promise<Backend | undefined>
  /** As storage has it now, with the tag that `replace` wants. */
  read(id: BackendId): Promise<StoredBackend | undefined>
  /** As storage has them now, in order of id. */
  list(): Promise<StoredBackend[]>
  /** Those of `ids` that exist and that this tenant's aliases may name, as storage has them now. */
  known(ids: readonly BackendId[], tenantId: TenantId): Promise<ReadonlySet<BackendId>>
  /** A backend that has this id already is returned as it is. */
  create(id: BackendId, input: NewBackend): Promise<StoredBackend | Problem>
  /** `expects` is asked about the tag that would be replaced; a no is `precondition_failed`. */
  replace(id: BackendId, input: BackendInput, expects: Expects): Promise<StoredBackend | Problem>
  patch(id: BackendId, patch: BackendPatch, expects: Expects): Promise<StoredBackend | Problem>
  /** Whom its owner shares it with from now on. Aliases of whoever is not among them pass over it. */
  shareWith(id: BackendId, tenants: readonly TenantId[]): Promise<StoredBackend | Problem>
  /** Aliases that still name it pass over it. */
  remove(id: BackendId): Promise<Problem | undefined>
}

export interface StoredBackend {
  readonly backend: Backend
  /** Rises with every change; in quotes the ETag. */
  readonly version: number
}

/** An operator's input, or a backend that is made for one tenant. */
export type NewBackend = Omit<Backend, 'id'>

type Expects = (version: number) => boolean

export const backendStorage = { tables: ['backends'] } as const

const FRESH_MS = 5_000
/** Longer than a tenant's snapshot: an old list of backends still routes, and circuits keep calls from those that fail. */
const STALE_MS = 60_000
/**
 * Three models for each of 10,000 tenants. The data path holds all of them in memory, about 500 bytes each (15 MB), and reads them
 * all anew, in pages of 1,000: 400 ms of processor time in pieces of 40 ms at most (measured with 20,000).
 */
const BACKENDS_MAX = 30_000
/** So the more there are, the less often they are read: changes by other instances are noticed after 5 to 30 s. */
const READ_SHARE_MAX = 1 / 20
const CHANGE_ATTEMPTS_MAX = 5
const ANEW_INTERVAL_MS = 1_000

const ALL = 'all'
const FIRST = 'bke_'
/** Above every id, whose characters are lower-case letters and digits. */
const END = 'bke_~'

const noSuchBackend = new Problem('not_found', 'There is no such backend.')
const changedMeanwhile = new Problem(
  'precondition_failed',
  'The backend was changed since the version in If-Match. Read it again and repeat the change on what you find.',
)

export function createBackends({ table, clock, log }: BackendsDeps): Backends {
  const list = async () => {
    const found: StoredBackend[] = []
    for await (const { columns } of table.range(FIRST, END)) found.push(fromJsonColumns<StoredBackend>(columns))
    return found
  }
  const cached = createStaleCache<typeof ALL, ReadonlyMap<BackendId, Backend>>({
    clock,
    load: async () => new Map((await list()).map(({ backend }) => [backend.id, backend])),
    freshMs: FRESH_MS,
    staleMs: STALE_MS,
    readShareMax: READ_SHARE_MAX,
    entriesMax: 1,
    onError: (error) => log.warn('the backends could not be read again', { error: describeError(error) }),
  })
  const read = async (id: BackendId) => {
    const row = await table.get(id)
    return row && fromJsonColumns<StoredBackend>(row.columns)
  }
  const change = async (id: BackendId, expects: Expects, edit: (backend: Backend) => Backend) => {
    for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
      const row = await table.get(id)
      if (!row) return noSuchBackend
      const current = fromJsonColumns<StoredBackend>(row.columns)
      if (!expects(current.version)) return changedMeanwhile
      const next = { backend: edit(current.backend), version: current.version + 1 }
      const result = await table.replace(id, toJsonColumns(next), row.etag)
      if (result.kind === 'lost-race') continue
      cached.forget(ALL)
      return next
    }
    return new Problem('conflict', 'Others are changing this backend at the moment. Try again.')
  }

  let readAnewAtMs = -ANEW_INTERVAL_MS
  const anew = async () => {
    if (clock.monotonicMs() - readAnewAtMs >= ANEW_INTERVAL_MS) {
      readAnewAtMs = clock.monotonicMs()
      cached.forget(ALL)
    }
    return cached.get(ALL)
  }

  return {
    all: () => cached.get(ALL),
    anew,
    get: (id) => {
      const all = cached.get(ALL)
      return all instanceof Promise ? all.then((map) => map.get(id)) : all.get(id)
    },
    read,
    list,
    known: async (ids, tenantId) => {
      const found = await Promise.all(ids.map(read))
      // One of another tenant is unknown to this one.
      return new Set(
        found.flatMap((stored) => (stored && isBackendFor(stored.backend, tenantId) ? stored.backend.id : [])),
      )
    },
    create: async (id, input) => {
      if ((await cached.get(ALL)).size >= BACKENDS_MAX)
        return new Problem('conflict', `The platform has at most ${BACKENDS_MAX} backends. Delete one first.`)
      const stored = { backend: { id, ...input }, version: 1 }
      const result = await table.insert(id, toJsonColumns(stored))
      cached.forget(ALL)
      return result.kind === 'written' ? stored : ((await read(id)) ?? noSuchBackend)
    },
    // Whose it is, no change of it changes.
    replace: (id, input, expects) =>
      change(id, expects, ({ ownerTenantId, sharedWith, directoryId, resourceId }) => ({
        id,
        ...input,
        ownerTenantId,
        sharedWith,
        directoryId,
        resourceId,
      })),
    patch: (id, patch, expects) => change(id, expects, (backend) => patched(backend, patch)),
    shareWith: (id, sharedWith) =>
      change(
        id,
        () => true,
        (backend) => ({ ...backend, sharedWith }),
      ),
    remove: async (id) => {
      if (!(await read(id))) return noSuchBackend
      await table.remove(id)
      cached.forget(ALL)
      return undefined
    },
  }
}

export interface BackendsDeps {
  readonly table: PartitionTable<Columns>
  readonly clock: Clock
  readonly log: Log
}

function patched(backend: Backend, { throughput, timeouts, ...rest }: BackendPatch): Backend {
  return {
    ...backend,
    ...definedFields(rest),
    throughput: throughput === undefined ? backend.throughput : (throughput ?? undefined),
    timeouts: timeouts === undefined ? backend.timeouts : (timeouts ?? undefined),
  }
}

type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

function definedFields<T extends object>(patch: T): Defined<T> {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined)) as Defined<T>
}
