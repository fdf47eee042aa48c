import type { InstanceId } from '../base/ids'
import type { CallTally, RefusedCall } from './usage-record'

const MINUTE_MS = 60_000

/** Counts like refusals of one minute together until they are written; memory is bounded by how many different ones there are. */
export class RefusalCounts {
  readonly #idStart: string
  readonly #differentMax: number
  #counts = new Map<string, { readonly refused: RefusedCall; calls: number }>()
  #taken = 0

  /** `instanceId` is new for each process, which makes the tallies' ids so. */
  constructor(instanceId: InstanceId, differentMax: number) {
    this.#idStart = instanceId.slice('ins_'.length)
    this.#differentMax = differentMax
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }

  /** False where there is no room for one that is like none before. */
  add(refused: RefusedCall): boolean {
    const { startedAt, tenantId, keyId, alias, operation, code } = refused
    // Neither ids nor names have line breaks; the model is the alias's.
    const key = `${Math.floor(startedAt / MINUTE_MS)}\n${tenantId}\n${keyId}\n${alias}\n${operation}\n${code}`
    const count = this.#counts.get(key)
    if (count) count.calls++
    else if (this.#counts.size >= this.#differentMax) return false
    else this.#counts.set(key, { refused, calls: 1 })
    return true
  }

  /** What was counted, which is counted no more. */
  take(): CallTally[] {
    const counts = this.#counts
    this.#counts = new Map()
    return [...counts.values()].map(({ refused, calls }) => ({
      ...refused,
      calls,
      tallyId: `tly_${this.#idStart}-${++this.#taken}`,
    }))
  }
}
