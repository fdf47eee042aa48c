import fc from 'fast-check'
import type { InstanceId } from '../../src/base/ids'
import { advanceWindow, forfeitLease } from '../../src/limits/advance-window'
import { judgeAsk, roomOf, type Judging } from '../../src/limits/judge-ask'
import { Ledger } from '../../src/limits/ledger'
import { renewWindow, type Renewed } from '../../src/limits/renew-window'
import { cellAt, emptyWindow, leavesAtMs, type WindowShape, type WindowState } from '../../src/limits/window-state'

const shape: WindowShape = { windowMs: 10_000, cellMs: 1_000, skewMsMax: 500, leaseMs: 6_000 }
const limits = { requestsPerMinute: 20, tokensPerMinute: 1_000, concurrentCalls: 1_000 }
const STOP_MARGIN_MS = 2 * shape.skewMsMax

/** One instance as the pure parts see it: a ledger, and the lease it knows of. */
interface Player {
  readonly id: InstanceId
  readonly ledger: Ledger
  expiresAtMs: number
  readonly refundable: { tokens: number; cell: number; entry: Spent }[]
}

interface Spent {
  readonly atMs: number
  tokens: number
}

const action = fc.record({
  afterMs: fc.integer({ min: 0, max: 2_500 }),
  player: fc.integer({ min: 0, max: 2 }),
  does: fc.constantFrom('renew', 'renew', 'spend', 'spend', 'spend', 'refund', 'crash'),
  tokens: fc.integer({ min: 1, max: 300 }),
})

function newPlayer(number: number, nowMs: number): Player {
  const ledger = new Ledger('tenant', nowMs)
  ledger.agree(limits)
  return { id: `ins_${number}`, ledger, expiresAtMs: -Infinity, refundable: [] }
}

function renewed(state: WindowState, player: Player, tokens: number, nowMs: number): Renewed {
  player.ledger.notice(tokens, nowMs)
  const reports = new Map([['tenant', player.ledger.report(nowMs, 100)] as const])
  const asks = [{ sections: ['tenant'] as const, tokens }]
  return renewWindow(state, { instanceId: player.id, sequence: nowMs, reports, asks, intent: 'stay' }, { nowMs, shape })
}

/** Plays a history and returns everything that was spent, with what its refunds left of it. */
function play(actions: readonly { afterMs: number; player: number; does: string; tokens: number }[]): Spent[] {
  let nowMs = 1_000_000
  let state = emptyWindow(nowMs)
  let made = 3
  const players = [0, 1, 2].map((number) => newPlayer(number, nowMs))
  const history: Spent[] = []
  const spend = (player: Player, tokens: number) => {
    if (nowMs >= player.expiresAtMs - STOP_MARGIN_MS || !player.ledger.covers(tokens)) return
    const cell = cellAt(nowMs, shape)
    player.ledger.take(tokens, cell)
    const entry = { atMs: nowMs, tokens }
    history.push(entry)
    player.refundable.push({ tokens, cell, entry })
  }
  for (const { afterMs, player: index, does, tokens } of actions) {
    nowMs += afterMs
    const player = players[index]
    if (!player) continue
    if (does === 'crash') players[index] = newPlayer(made++, nowMs)
    if (does === 'spend') spend(player, tokens)
    if (does === 'refund') {
      const call = player.refundable.shift()
      if (!call) continue
      const back = Math.min(tokens, call.tokens)
      player.ledger.refund(back, call.cell)
      call.entry.tokens -= back
    }
    if (does === 'renew') {
      if (player.expiresAtMs > 0 && !state.holders.has(player.id)) player.ledger.drop('expired')
      const next = renewed(state, player, tokens, nowMs)
      state = next.state
      player.ledger.land({ state, instanceId: player.id, nowMs, shape })
      player.expiresAtMs = state.holders.get(player.id)?.expiresAtMs ?? -Infinity
      if (next.verdicts[0]?.kind === 'granted') spend(player, tokens)
    }
  }
  return history
}

describe('the window arithmetic', () => {
  it('lets no window of its length hold more than the limit, whatever renewals, refunds and crashes happen when', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 150 }), (actions) => {
        const history = play(actions)
        for (const last of history) {
          const inWindow = history.filter(({ atMs }) => atMs > last.atMs - shape.windowMs && atMs <= last.atMs)
          expect(inWindow.length).toBeLessThanOrEqual(limits.requestsPerMinute)
          expect(inWindow.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(limits.tokensPerMinute)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('loses nothing: what is free, spent and leased is always the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 40 }), (amounts) => {
        let state = emptyWindow(0)
        let nowMs = 0
        const player = newPlayer(0, nowMs)
        for (const tokens of amounts) {
          nowMs += 100
          state = renewed(state, player, tokens, nowMs).state
          const judging: Judging = { state, instanceId: player.id, nowMs, shape }
          player.ledger.land(judging)
          const { left } = player.ledger.roomIn(judging, 100)
          if (player.ledger.covers(tokens)) player.ledger.take(tokens, cellAt(nowMs, shape))
          const { spent, leases } = state.sections.get('tenant') ?? { spent: [], leases: new Map() }
          const spentTokens = spent.reduce((sum, spend) => sum + spend.tokens, 0)
          const held = player.ledger.report(nowMs, 100)
          player.ledger.withdraw()
          const reported = held.spends.reduce((sum, spend) => sum + spend.tokens, 0)
          expect(leases.get(player.id)?.tokens ?? 0).toBe(held.held.tokens + reported)
          expect(left.tokens).toBe(limits.tokensPerMinute - spentTokens)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('refuses with the shortest wait after which the same call fits', () => {
    const spends = fc.array(
      fc.record({ cell: fc.integer({ min: 985, max: 1_000 }), tokens: fc.integer({ min: 1, max: 400 }) }),
      { minLength: 1, maxLength: 12 },
    )
    fc.assert(
      fc.property(spends, fc.integer({ min: 1, max: 1_000 }), fc.nat(999), (spends, tokens, offsetMs) => {
        const nowMs = 1_000_000 + offsetMs
        const spent = [...Map.groupBy(spends, ({ cell }) => cell)]
          .map(([cell, group]) => ({ cell, requests: 1, tokens: group.reduce((sum, entry) => sum + entry.tokens, 0) }))
          .sort((a, b) => a.cell - b.cell)
        const state: WindowState = { ...emptyWindow(0), sections: new Map([['tenant', { spent, leases: new Map() }]]) }
        const judge = (atMs: number) => {
          const judging: Judging = { state, instanceId: 'ins_0', nowMs: atMs, shape }
          const standing = { caps: { requests: 20, tokens: 1_000, slots: 9 }, held: none, slotsInUse: 0, slotWaitMs: 1 }
          const ask = { sections: ['tenant'] as const, tokens }
          return judgeAsk(ask, new Map([['tenant', roomOf('tenant', standing, judging)]]), judging)
        }
        const verdict = judge(nowMs)
        if (verdict.kind !== 'refused') return
        // Waits are capped at the window's length, which can end before the youngest cell has left.
        if (verdict.waitMs < shape.windowMs) expect(judge(nowMs + verdict.waitMs).kind).toBe('granted')
        expect(judge(nowMs + verdict.waitMs - 1).kind).toBe('refused')
      }),
    )
  })

  it('keeps a cell until every moment in it is older than the window, for the slowest clock too', () => {
    const cell = cellAt(5_999, shape)
    const section = { spent: [{ cell, requests: 1, tokens: 10 }], leases: new Map() }
    const state: WindowState = { ...emptyWindow(0), sections: new Map([['tenant', section]]) }
    const leavesMs = 5_999 + 1 + shape.windowMs + shape.skewMsMax

    expect(leavesAtMs(cell, shape)).toBe(leavesMs)
    expect(advanceWindow(state, { nowMs: leavesMs - 1, shape }).sections.size).toBe(1)
    expect(advanceWindow(state, { nowMs: leavesMs, shape }).sections.size).toBe(0)
  })

  it('counts the whole lease of a dead instance as spent at its expiry and frees its slots at once', () => {
    const player = newPlayer(0, 0)
    const { state } = renewed(emptyWindow(0), player, 300, 0)
    const lease = state.sections.get('tenant')?.leases.get('ins_0')
    const after = advanceWindow(state, { nowMs: shape.leaseMs, shape })

    expect(lease?.slots).toBeGreaterThan(0)
    expect(after.holders.size).toBe(0)
    expect(after.sections.get('tenant')).toEqual({
      spent: [{ cell: cellAt(shape.leaseMs, shape), requests: lease?.requests, tokens: lease?.tokens }],
      leases: new Map(),
    })
    expect(forfeitLease(after, 'ins_0', shape)).toBe(after)
  })
})

const none = { requests: 0, tokens: 0, slots: 0 }
