import { hash } from 'node:crypto'
import type { TuningJobId } from '../base/ids'
import { changeRecord } from '../encryption/change-record'
import { removeRecords } from '../encryption/record-ranges'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import type { AccountCheckpoint, AccountEvent } from './account-job'
import { numbersOf } from './account-job'

/** What a job has said so far: the account's own events in words that name nothing of the account, and the platform's between them. */
export interface TuningEvents {
  /** Adds those that are not there yet, by their ids. */
  add(scope: TenantScope, id: TuningJobId, events: readonly TuningEvent[]): Promise<void>
  /** The oldest first. */
  list(scope: TenantScope, id: TuningJobId): Promise<readonly TuningEvent[]>
  putCheckpoints(scope: TenantScope, id: TuningJobId, checkpoints: readonly AccountCheckpoint[]): Promise<void>
  /** With the account's names of them, which are not shown. */
  checkpoints(scope: TenantScope, id: TuningJobId): Promise<readonly AccountCheckpoint[]>
  removeAll(scope: TenantScope): Promise<void>
}

export interface TuningEvent {
  readonly id: `ftevent-${string}`
  /** Of the account's event, by which the next look knows what it has seen. */
  readonly source?: string | undefined
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly type: 'message' | 'metrics'
  readonly data: Readonly<Record<string, number>>
}

/** The oldest are forgotten, but for what was said before training: 300 bytes each. */
const EVENTS_MAX = 5_000
const EVENT_PREFIX = 'tuningevents-'
const CHECKPOINT_PREFIX = 'tuningcheckpoints-'
const HASH_CHARACTERS = 32

type Records = Pick<SealedRecords, 'get' | 'put' | 'putIfAbsent' | 'replace' | 'remove' | 'ids'>

export function createTuningEvents(records: Records): TuningEvents {
  const read = (scope: TenantScope, id: TuningJobId) =>
    records.get<readonly TuningEvent[]>(scope, `${EVENT_PREFIX}${id}`)
  return {
    add: async (scope, id, events) => {
      if (events.length === 0) return
      await changeRecord<readonly TuningEvent[]>(records, scope, `${EVENT_PREFIX}${id}`, (known = []) => {
        const ids = new Set(known.map((event) => event.id))
        const fresh = events.filter((event) => !ids.has(event.id))
        return fresh.length === 0 ? known : [...known, ...fresh].slice(-EVENTS_MAX)
      })
    },
    list: async (scope, id) => (await read(scope, id))?.value ?? [],
    putCheckpoints: (scope, id, checkpoints) => records.put(scope, `${CHECKPOINT_PREFIX}${id}`, checkpoints),
    checkpoints: async (scope, id) =>
      (await records.get<readonly AccountCheckpoint[]>(scope, `${CHECKPOINT_PREFIX}${id}`))?.value ?? [],
    removeAll: (scope) => removeRecords(records, scope, [EVENT_PREFIX, CHECKPOINT_PREFIX]),
  }
}

/** One of the platform's own. The same `what` twice in one attempt is one event. */
export const ownEvent = (
  id: TuningJobId,
  what: string,
  event: Pick<TuningEvent, 'createdAt' | 'message'> & { readonly level?: TuningEvent['level'] },
): TuningEvent => ({ level: 'info', type: 'message', data: {}, ...event, id: eventIdOf(id, what) })

/** The account's, with what it calls its own things put in our words. Metrics are numbers; what else there is of data is left out. */
export const mirrored = (id: TuningJobId, event: AccountEvent, words: Words): TuningEvent => ({
  id: eventIdOf(id, event.id),
  source: event.id,
  createdAt: event.createdAt,
  level: event.level,
  message: inOurWords(event.message, words),
  type: event.type,
  data: numbersOf(event.data),
})

/** What the account calls a thing, and what its tenant calls it. */
export type Words = readonly (readonly [theirs: string, ours: string])[]

/** Ids and names as Azure makes them (azure-facts 3): whatever is left of those is not shown. */
const FOREIGN = /\b(?:file|ftjob|ftckpt|ftevent)[-_][0-9a-f][0-9a-f-]{7,}\b|[\w.-]+\.ft-[0-9a-f]{32}[\w:.-]*/gi

export function inOurWords(text: string, words: Words): string {
  let said = text
  for (const [theirs, ours] of words) said = said.replaceAll(theirs, ours)
  const kept = new Set(words.map(([, ours]) => ours))
  return said.replace(FOREIGN, (name) => (kept.has(name) ? name : '…'))
}

export const ourIdOf = <Prefix extends string>(prefix: Prefix, id: TuningJobId, source: string) =>
  `${prefix}${hash('sha256', `${id}/${source}`, 'hex').slice(0, HASH_CHARACTERS)}` as const

const eventIdOf = (id: TuningJobId, source: string) => ourIdOf('ftevent-', id, source)
