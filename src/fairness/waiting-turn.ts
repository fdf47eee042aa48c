import { assert } from '../base/assert'
import type { BackendId } from '../base/ids'
import type { Flow } from './flow'
import type { BackendSays, CapacitySign, Turn, TurnRefused, TurnRequest, TurnResult } from './turn'

/** What a turn asks of the queue that it belongs to. */
export interface TurnOwner {
  again(turn: WaitingTurn, sign: CapacitySign): TurnRefused | Promise<TurnResult>
  learn(turn: WaitingTurn, backendId: BackendId, said: BackendSays): void
  release(turn: WaitingTurn, usedTokens: number): void
}

type TurnState =
  | { readonly kind: 'new' }
  /** In the line. */
  | { readonly kind: 'waiting'; readonly answer: (result: TurnResult) => void; readonly forget: () => void }
  /** `sentBefore`: tokens that had gone to the backends before it (`Quotas`). */
  | { readonly kind: 'under-way'; readonly sentAtMs: number; readonly sentBefore: number }
  /** Out of the line without having been sent. */
  | { readonly kind: 'left' }
  | { readonly kind: 'released' }

/** A call's place in a queue, from its arrival until it is released. */
export class WaitingTurn implements Turn {
  readonly kind = 'turn'
  readonly flow: Flow
  readonly request: TurnRequest
  /** Rises by one with every call of the queue. */
  readonly arrival: number
  readonly deadlineMs: number
  /** Tokens that the call is expected to use. */
  readonly cost: number
  state: TurnState = { kind: 'new' }
  tries = 0
  readonly #owner: TurnOwner

  constructor(owner: TurnOwner, place: Pick<WaitingTurn, 'flow' | 'request' | 'arrival' | 'deadlineMs' | 'cost'>) {
    this.#owner = owner
    this.flow = place.flow
    this.request = place.request
    this.arrival = place.arrival
    this.deadlineMs = place.deadlineMs
    this.cost = place.cost
  }

  again(sign: CapacitySign): TurnRefused | Promise<TurnResult> {
    assert(this.state.kind === 'under-way', 'only a call that has its turn can give it back')
    return this.#owner.again(this, sign)
  }

  learn(backendId: BackendId, said: BackendSays): void {
    this.#owner.learn(this, backendId, said)
  }

  release(usedTokens: number): void {
    assert(this.state.kind !== 'released', 'a turn is released once')
    this.#owner.release(this, usedTokens)
  }
}
