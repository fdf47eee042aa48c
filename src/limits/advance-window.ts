import type { InstanceId } from '../base/ids'
import {
  cellAt,
  leavesAtMs,
  type Section,
  type SectionId,
  type Spend,
  type WindowShape,
  type WindowState,
} from './window-state'

/**
 * The row as it stands at `nowMs`: leases that were not renewed in time have become spent, cells that are wholly
 * outside the window are gone, and so are sections with nothing in them.
 * `spared` renews in this very change: what it still holds in the row is its own, however late it comes.
 */
export function advanceWindow(
  state: WindowState,
  { nowMs, shape, spared }: { nowMs: number; shape: WindowShape; spared?: InstanceId },
): WindowState {
  let advanced = state
  for (const [instanceId, holder] of state.holders) {
    if (holder.expiresAtMs <= nowMs && instanceId !== spared) advanced = forfeitLease(advanced, instanceId, shape)
  }
  const sections = new Map<SectionId, Section>()
  for (const [sectionId, section] of advanced.sections) {
    const spent = section.spent.filter(({ cell }) => leavesAtMs(cell, shape) > nowMs)
    if (spent.length > 0 || section.leases.size > 0) sections.set(sectionId, { ...section, spent })
  }
  return { ...advanced, asOfMs: nowMs, sections }
}

/**
 * Takes an instance's leases away. Nobody knows how much of them was spent, or when, so all of it counts as spent at the
 * last moment at which it can have been (L3). Slots have no window and are free at once.
 */
export function forfeitLease(state: WindowState, instanceId: InstanceId, shape: WindowShape): WindowState {
  const holder = state.holders.get(instanceId)
  if (!holder) return state
  const cell = cellAt(holder.expiresAtMs, shape)
  const holders = new Map(state.holders)
  holders.delete(instanceId)
  const sections = new Map(state.sections)
  for (const [sectionId, section] of state.sections) {
    const lease = section.leases.get(instanceId)
    if (!lease) continue
    const leases = new Map(section.leases)
    leases.delete(instanceId)
    sections.set(sectionId, { spent: withSpends(section.spent, [{ cell, ...lease }]), leases })
  }
  return { ...state, holders, sections }
}

/** Adds each amount to its cell; the cells stay in order. */
export function withSpends(spent: readonly Spend[], more: readonly Spend[]): readonly Spend[] {
  const byCell = new Map(spent.map((entry) => [entry.cell, entry]))
  for (const { cell, requests, tokens } of more) {
    if (requests === 0 && tokens === 0) continue
    const old = byCell.get(cell)
    byCell.set(cell, { cell, requests: (old?.requests ?? 0) + requests, tokens: (old?.tokens ?? 0) + tokens })
  }
  return [...byCell.values()].sort((a, b) => a.cell - b.cell)
}

/**
 * Takes refunded tokens out of the very cell in which they were reserved. A refund whose cell has left the window, or
 * no longer holds as much, is dropped: taking it from a younger cell would let the limit be passed later.
 */
export function withRefunds(spent: readonly Spend[], refunds: ReadonlyMap<number, number>): readonly Spend[] {
  if (refunds.size === 0) return spent
  return spent
    .map((entry) => ({ ...entry, tokens: Math.max(0, entry.tokens - (refunds.get(entry.cell) ?? 0)) }))
    .filter(({ requests, tokens }) => requests > 0 || tokens > 0)
}
