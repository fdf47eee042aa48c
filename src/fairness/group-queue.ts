import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import type { BackendId } from '../base/ids'
import { Backlog } from './backlog'
import type { Flow } from './flow'
import { Flows } from './flows'
import { CALM_MS, Pace, REST_MS_MIN } from './pace'
import type { QueueBounds } from './queue-bounds'
import { Quotas } from './quotas'
import type { BackendSays, CapacitySign, TurnRefused, TurnRequest, TurnResult } from './turn'
import { refused } from './refused'
import { Utilizations } from './utilizations'
import { WaitingTurn, type TurnOwner } from './waiting-turn'

/** How often one call is sent to backends that refuse it. */
export const TRIES_MAX = 5
export interface GroupQueueDeps {
  readonly clock: Clock
  readonly bounds: QueueBounds
  readonly backendIds: readonly BackendId[]
}

/**
 * The calls that want one set of backends, by start-time fair queueing (Goyal, Vin and Cheng, "Start-Time Fair Queuing",
 * SIGCOMM 1996): whoever's share is furthest behind goes next. A tenant's finish time moves on by tokens ÷ weight; the
 * queue's virtual time is the start of the call that went last; who was idle starts from there, without credit (I15).
 *
 * Tags are the flow's, not the call's, so a correction (a call used other than it was expected to) counts at once.
 * The pace says when the next call may go; this says whose it is.
 */
export class GroupQueue implements TurnOwner {
  readonly #clock: Clock
  readonly #bounds: QueueBounds
  readonly #pace: Pace
  readonly #quotas: Quotas
  readonly #utilizations: Utilizations
  readonly #flows = new Flows()
  readonly #backlog = new Backlog()
  #underWay = 0
  #virtualTime = 0
  #arrivals = 0
  #isClosed = false
  #wake: { readonly atMs: number; readonly cancel: () => void } | undefined

  constructor({ clock, bounds, backendIds }: GroupQueueDeps) {
    this.#clock = clock
    this.#bounds = bounds
    this.#quotas = new Quotas(backendIds)
    this.#utilizations = new Utilizations(backendIds)
    this.#pace = new Pace(clock.monotonicMs())
  }

  get waiting(): number {
    return this.#backlog.calls
  }

  get underWay(): number {
    return this.#underWay
  }

  get idle(): boolean {
    return this.#backlog.calls === 0 && this.#underWay === 0
  }

  /** Whether something is known that a new queue would have to learn again. */
  get hasLearned(): boolean {
    return this.#pace.rate(this.#clock.monotonicMs()) !== Infinity
  }

  /** Who waits is told so, and nobody waits any more. */
  close(): void {
    this.#isClosed = true
    for (const turn of this.#backlog.withDeadlineBefore(Infinity)) this.#giveUp(turn, refused('stopping', 0))
  }

  take(request: TurnRequest): TurnResult | Promise<TurnResult> {
    const nowMs = this.#clock.monotonicMs()
    const flow = this.#flows.of(request.tenantId, nowMs)
    this.#backlog.reweigh(flow, request.weight)
    const turn = new WaitingTurn(this, {
      flow,
      request,
      arrival: ++this.#arrivals,
      deadlineMs: nowMs + Math.min(this.#bounds.waitMsMax, request.patience?.waitMsMax ?? Infinity),
      cost: Math.max(1, request.tokens * flow.ratio),
    })
    if (this.#backlog.calls === 0) {
      this.#pace.forgetWhenCalm(nowMs)
      if (this.#goesAtMs(nowMs) <= nowMs) {
        this.#catchUp(flow)
        this.#send(turn, nowMs)
        return turn
      }
    }
    return this.#noRoom(turn, nowMs) ?? this.#wait(turn, nowMs)
  }

  again(turn: WaitingTurn, sign: CapacitySign): TurnRefused | Promise<TurnResult> {
    const nowMs = this.#clock.monotonicMs()
    const sentAtMs = turn.state.kind === 'under-way' ? turn.state.sentAtMs : nowMs
    this.#underWay -= 1
    turn.flow.underWay -= 1
    turn.flow.charge(-turn.cost)
    this.#pace.unspend(turn.cost, nowMs)
    this.#quotas.send(-turn.request.tokens)
    turn.state = { kind: 'left' }
    if (sign.kind === 'throttled') {
      this.#pace.throttled({ waitMs: sign.waitMs, sentAtMs, tokens: turn.cost }, nowMs)
      this.#refuse(this.#backlog.withDeadlineBefore(this.#pace.restUntilMs), this.#pace.restUntilMs - nowMs)
    } else {
      this.#rest(turn.flow, sign.waitMs, nowMs)
    }
    this.#pump()
    if (this.#isClosed) return refused('stopping', 0)
    if (nowMs + sign.waitMs > turn.deadlineMs) return refused('resting', sign.waitMs)
    if (turn.tries >= (turn.request.patience?.triesMax ?? TRIES_MAX))
      return refused('too-long', this.#expectedWaitMs(turn.flow, nowMs))
    return this.#wait(turn, nowMs)
  }

  learn(turn: WaitingTurn, backendId: BackendId, { quota, utilization }: BackendSays): void {
    const nowMs = this.#clock.monotonicMs()
    if (utilization !== undefined) {
      this.#utilizations.say(backendId, utilization, nowMs)
      if (this.#utilizations.areFull(nowMs)) this.#pace.saturated(turn.cost, nowMs)
    }
    if (!quota || turn.state.kind !== 'under-way') return
    this.#quotas.say(backendId, { quota, ...turn.state }, nowMs)
    // Who has the backends alone may use a minute's quota as it likes.
    const spread = nowMs - this.#flows.sharedAtMs <= CALM_MS ? this.#quotas.spread(nowMs) : undefined
    // Backends count what calls reserve, the pace what they are expected to use.
    if (spread) this.#pace.spread({ ...spread, rate: spread.rate * this.#flows.ratio }, nowMs)
  }

  release(turn: WaitingTurn, usedTokens: number): void {
    const { state, flow, cost, request } = turn
    if (state.kind === 'waiting') this.#giveUp(turn, refused('client-gone', 0))
    turn.state = { kind: 'released' }
    if (state.kind !== 'under-way') return
    this.#underWay -= 1
    flow.underWay -= 1
    flow.charge(usedTokens - cost)
    if (usedTokens > 0) this.#flows.learn(flow, { usedTokens, estimatedTokens: request.tokens })
    this.#pump()
  }

  /** When the next call may go, in the past if now; never until one ends, while as many as may are under way. */
  #goesAtMs(nowMs: number): number {
    return this.#underWay < this.#bounds.callsUnderWayMax ? this.#pace.nextAtMs(nowMs) : Infinity
  }

  /** Whoever was idle starts from where the others are (I15). */
  #catchUp(flow: Flow): void {
    flow.finish = Math.max(flow.finish, this.#virtualTime)
  }

  #send(turn: WaitingTurn, nowMs: number): void {
    const { flow, cost } = turn
    this.#virtualTime = Math.max(this.#virtualTime, flow.finish)
    flow.charge(cost)
    flow.underWay += 1
    this.#underWay += 1
    this.#pace.spend(cost, nowMs)
    turn.tries += 1
    turn.state = { kind: 'under-way', sentAtMs: nowMs, sentBefore: this.#quotas.sent }
    this.#quotas.send(turn.request.tokens)
  }

  #wait(turn: WaitingTurn, nowMs: number): Promise<TurnResult> {
    return new Promise((answer) => {
      const cancelDeadline = this.#clock.after(Math.max(0, turn.deadlineMs - nowMs), () => {
        this.#giveUp(turn, refused('too-long', this.#expectedWaitMs(turn.flow, this.#clock.monotonicMs())))
      })
      const gone = turn.request.gone?.signal
      const leave = () => this.#giveUp(turn, refused('client-gone', 0))
      gone?.addEventListener('abort', leave, { once: true })
      const forget = () => {
        cancelDeadline()
        gone?.removeEventListener('abort', leave)
      }
      turn.state = { kind: 'waiting', answer, forget }
      this.#join(turn, nowMs)
      if (gone?.aborted) leave()
      else this.#pump()
    })
  }

  #join(turn: WaitingTurn, nowMs: number): void {
    if (this.#backlog.calls === 0) this.#pace.lineFormed(nowMs)
    // A call that comes back has been charged before, and keeps what that left of its tenant's place.
    if (this.#backlog.join(turn) && turn.tries === 0) this.#catchUp(turn.flow)
  }

  #leave(turn: WaitingTurn): void {
    this.#backlog.leave(turn)
    if (this.#backlog.calls === 0) this.#pace.lineEmpty()
  }

  #giveUp(turn: WaitingTurn, why: TurnRefused): void {
    const { state } = turn
    assert(state.kind === 'waiting', 'only a call in the line leaves it')
    this.#leave(turn)
    state.forget()
    turn.state = { kind: 'left' }
    state.answer(why)
  }

  /** Sends as many as may go now, and comes back when the next one may. */
  #pump(): void {
    const nowMs = this.#clock.monotonicMs()
    if (this.#backlog.calls > 0) this.#pace.lineStands(nowMs)
    while (this.#goesAtMs(nowMs) <= nowMs) {
      const turn = this.#backlog.next(nowMs)
      if (!turn) break
      const { state, flow } = turn
      assert(state.kind === 'waiting', 'who stands in the line waits')
      // Who rested was as good as idle.
      if (flow.restUntilMs > -Infinity) this.#catchUp(flow)
      flow.restUntilMs = -Infinity
      this.#leave(turn)
      state.forget()
      this.#send(turn, nowMs)
      state.answer(turn)
    }
    this.#wakeAt(Math.max(this.#goesAtMs(nowMs), this.#backlog.restUntilMs()))
  }

  #wakeAt(atMs: number): void {
    if (this.#wake?.atMs === atMs) return
    this.#wake?.cancel()
    this.#wake = undefined
    if (atMs === Infinity) return
    const cancel = this.#clock.after(Math.max(1, Math.ceil(atMs - this.#clock.monotonicMs())), () => {
      this.#wake = undefined
      this.#pump()
    })
    this.#wake = { atMs, cancel }
  }

  /** Undefined if the call may stand in the line; the longest line makes room for who has less of one. */
  #noRoom({ flow, deadlineMs }: WaitingTurn, nowMs: number): TurnRefused | undefined {
    if (this.#isClosed) return refused('stopping', 0)
    const waitMs = this.#expectedWaitMs(flow, nowMs)
    if (this.#pace.restUntilMs > deadlineMs) return refused('resting', waitMs)
    // How fast calls end is no more than a guess; how fast they may go was measured.
    if (nowMs + waitMs > deadlineMs && this.#pace.rate(nowMs) !== Infinity) return refused('too-long', waitMs)
    if (flow.line.length >= this.#bounds.waitingPerTenantMax) return refused('line-full', waitMs)
    if (this.#backlog.calls < this.#bounds.waitingMax) return undefined
    const last = this.#backlog.lastOfLongest(flow)
    if (!last) return refused('line-full', waitMs)
    this.#giveUp(last, refused('line-full', this.#expectedWaitMs(last.flow, nowMs)))
    return undefined
  }

  /**
   * The backends rest, for whatever reason. That may be this tenant's alone (circuits are), so its calls wait and no others; where the
   * rest is everybody's, each tenant learns it by one call.
   */
  #rest(flow: Flow, waitMs: number, nowMs: number): void {
    const untilMs = nowMs + Math.max(waitMs, REST_MS_MIN)
    this.#refuse(flow.withDeadlineBefore(untilMs), waitMs)
    // A longer one nobody waits for, and it may end before its time.
    if (waitMs <= this.#bounds.waitMsMax) flow.restUntilMs = untilMs
  }

  /** Their deadlines are before the end of a rest: they are told so now. */
  #refuse(turns: readonly WaitingTurn[], waitMs: number): void {
    for (const turn of turns) this.#giveUp(turn, refused('resting', waitMs))
  }

  /** Until a call of the flow that came now would have its turn, at the rate at which calls go out. */
  #expectedWaitMs(flow: Flow, nowMs: number): number {
    const nextMs = Math.max(0, this.#pace.nextAtMs(nowMs) - nowMs, flow.restUntilMs - nowMs)
    const isFull = this.#underWay >= this.#bounds.callsUnderWayMax
    const known = this.#pace.rate(nowMs)
    const rate = known === Infinity && isFull ? this.#pace.recentRate(nowMs) : known
    return nextMs + this.#backlog.waitMs(flow, rate)
  }
}
