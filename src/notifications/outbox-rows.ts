import { hash } from 'node:crypto'
import type { TenantId } from '../base/ids'
import { parseTenantId } from '../base/ids'
import { TenantScope } from '../storage/tenant-scope'
import { platformOwnerId } from '../tenants/platform-owner'
import type { DeliveryId } from './delivery'
import type { Notice } from './notice'

/**
 * How the outbox lies in its table. A notice and its deliveries are rows of whom they are for: a tenant, or the operators as a
 * tenant of the platform's own. Invariants:
 * O1 In the platform's partition a row `due-{time}-{owner}-{what}` leads to everything that is to be done at a time. It is written
 *    before what it leads to says that time, and removed after that says another, so that no crash loses a message: a row that leads
 *    to nothing, or to what has gone on, is dropped by whoever comes by.
 * O2 A delivery is changed by compare-and-swap alone. Whoever sends it has written before that it is being sent, and until when.
 * O3 A notice and all its deliveries are written in one transaction, so that one that is published again is there or is not.
 */
export const outboxStorage = { tables: ['notifications'] } as const

/** Whose the operators' subscriptions, notices and deliveries are. */
export const operatorsScope = TenantScope.ofPlatform(platformOwnerId('0'.repeat(26)))

/** Whom a notice is for. */
export const ownerOf = ({ audience, tenantId }: Pick<Notice, 'audience' | 'tenantId'>): TenantScope =>
  audience === 'tenant' && tenantId !== undefined ? TenantScope.ofPlatform(tenantId) : operatorsScope

export const noticeKey = (id: string) => hash('sha256', id, 'hex').slice(0, KEY_CHARACTERS)
const KEY_CHARACTERS = 40

export const NOTICE = 'notice-'
export const DELIVERY = 'delivery-'
export const noticeRow = (key: string) => NOTICE + key
export const deliveryRow = (id: DeliveryId) => DELIVERY + id

const DUE = 'due-'
const DEAD = 'dead-'
const digits = (ms: number) => String(Math.max(0, Math.trunc(ms))).padStart(13, '0')

/** `what` is a row of the owner's. */
export const dueRow = (dueAt: number, owner: TenantId, what: string) => `${DUE}${digits(dueAt)}-${owner}-${what}`
export const dueUntil = (nowMs: number) => ({ from: DUE, to: `${DUE}${digits(nowMs + 1)}` })

/** By time, the newest first. */
export const deadRow = (deadAt: number, owner: TenantId, id: DeliveryId) =>
  `${DEAD}${digits(9_999_999_999_999 - deadAt)}-${owner}-${id}`
export const deadLetterIds = { from: DEAD, to: 'dead.' }

const LEADS_TO = /^(?:due|dead)-(\d{13})-(ten_[0-9a-z]{26})-(.+)$/

/** What a row of the platform's partition leads to; undefined for one that is none. */
export function ledTo(
  rowKey: string,
): { readonly timeMs: number; readonly owner: TenantScope; readonly what: string } | undefined {
  const [, time, tenantId, what] = LEADS_TO.exec(rowKey) ?? []
  const owner = tenantId === undefined ? undefined : parseTenantId(tenantId)
  if (!owner || what === undefined) return undefined
  return { timeMs: Number(time), owner: TenantScope.ofPlatform(owner), what }
}
