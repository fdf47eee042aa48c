import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import type { IdMaker, ResponseId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { Problem, ProblemError } from '../base/problem'
import { accountOf } from '../inference/account'
import type { Grant } from '../inference/authorize'
import type { BegunResponse, EndedResponse, Keeping, Renaming, ResponseBinding } from '../inference/binding'
import type { Call } from '../inference/read-call'
import type { TenantScope } from '../storage/tenant-scope'
import { afterEnd, isUnmetered, type EndResponse } from './end-response'
import type { OpenResponses } from './open-responses'
import { holderOf, RESPONSE_KEPT_MS, type ResponseRecord } from './response-record'
import type { ResponseStore } from './response-store'

export interface KeeperDeps {
  readonly store: ResponseStore
  readonly open: OpenResponses
  readonly end: EndResponse
  readonly ids: Pick<IdMaker, 'responseId'>
  readonly clock: Clock
  readonly log: Log
}

export interface KeptInput {
  readonly scope: TenantScope
  readonly call: Call
  readonly grant: Grant
  readonly keeping: Keeping
  readonly requestId: string
  /** Of ids that it names. */
  readonly renames: readonly Renaming[]
}

/**
 * What is written of one response while its call runs, each write behind the one before. Nothing waits for them but the
 * answer's last byte. A response that is not stored has an id of ours and no row.
 */
export class KeptResponse implements ResponseBinding {
  readonly id: ResponseId
  readonly isBackground: boolean
  readonly isStored: boolean
  readonly renames: readonly Renaming[]
  readonly #deps: KeeperDeps
  readonly #input: KeptInput
  #writes: Promise<void> = Promise.resolve()
  #hasBegun = false

  constructor(deps: KeeperDeps, input: KeptInput) {
    const { keeping, renames } = input
    this.id = deps.ids.responseId()
    this.isBackground = keeping.isBackground
    this.isStored = keeping.isStored
    this.renames = renames
    this.#deps = deps
    this.#input = input
  }

  begun(begun: BegunResponse): void {
    assert(!this.#hasBegun, 'a response begins once')
    this.#hasBegun = true
    if (!this.isStored) return
    const { store, open } = this.#deps
    const { scope } = this.#input
    const record = this.#recordOf(begun)
    const { ended } = begun
    if (!this.isBackground) this.#write(() => store.add(scope, ended ? afterEnd(record, ended) : record))
    else {
      // Whoever is told of it can count on its being metered.
      const { id } = this
      this.#write(async () => {
        await Promise.all([store.add(scope, record), open.add({ tenantId: scope.tenantId, id })])
      })
      if (ended) this.ended(ended)
    }
    if (this.id.endsWith(CLEARS)) this.#clearOld()
  }

  ended(ended: EndedResponse): void {
    if (this.isStored) this.#write(() => this.#deps.end(this.#input.scope, this.id, ended))
  }

  async kept(): Promise<void> {
    try {
      await this.#writes
    } catch (cause) {
      const problem = new Problem('storage_unavailable', 'The response could not be kept.')
      throw new ProblemError(problem, { cause })
    }
  }

  #write(work: () => Promise<void>): void {
    this.#writes = this.#writes.then(work)
    // Told to whoever waits for it; a call that broke off before has nobody who does.
    this.#writes.catch((error: unknown) => {
      this.#deps.log.warn('a response could not be recorded', { responseId: this.id, error: describeError(error) })
    })
  }

  #recordOf({ upstreamId, backend, grant: served, estimate }: BegunResponse): ResponseRecord {
    const { grant, requestId, renames } = this.#input
    const createdAt = Math.floor(this.#deps.clock.now())
    return {
      id: this.id,
      upstreamId,
      holder: holderOf(backend),
      alias: grant.alias.name,
      model: served.alias.model,
      by: grant.caller.callerId,
      meteredOn: accountOf(grant.tenant).meteredOn,
      requestId,
      createdAt,
      expiresAt: createdAt + RESPONSE_KEPT_MS,
      renames,
      status: this.isBackground ? 'queued' : 'in_progress',
      tokens: estimate.total,
      estimate: { prompt: estimate.prompt, total: estimate.total },
      itemIds: [],
      metering: this.isBackground ? { kind: 'open' } : undefined,
    }
  }

  /** Rows that nobody sees any more: so a tenant's rows stay about as many as it makes in the time for which they are kept. */
  #clearOld(): void {
    const { store, clock, log } = this.#deps
    const { scope } = this.#input
    const clear = async () => {
      const old = await store.madeBefore(scope, clock.now() - RESPONSE_KEPT_MS, CLEARED_AT_ONCE)
      for (const record of old) if (!isUnmetered(record)) await store.remove(scope, record)
    }
    clear().catch((error: unknown) => log.warn('old responses were not cleared', { error: describeError(error) }))
  }
}

/** Of the characters that ids end with, so that one response in so many clears, and more than came since the one before. */
const CLEARS = '0'
const CLEARED_AT_ONCE = 100
