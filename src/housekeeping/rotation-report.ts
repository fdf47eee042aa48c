import type { TenantId } from '../base/ids'

/** What stands for somebody, or opens something, and how long it has been the same. */
export interface AgedSecret {
  readonly kind: SecretKind
  /** Names it, not what it says: a setting, a tenant's secret, a version of a key. */
  readonly name: string
  readonly tenantId: TenantId | undefined
  /**
   * Unix milliseconds. Of settings and the wrapping key since the platform first saw this one, which is the least that it can be;
   * undefined where nobody noted it.
   */
  readonly sinceMs: number | undefined
}

export const secretKinds = [
  /** Keys of model accounts, in the app's settings. */
  'backend-key',
  /** Of operators. */
  'operator-token',
  /** Of the application by which other directories know the platform. */
  'application-secret',
  /** The version of the key that wraps tenants' data keys. */
  'wrapping-key',
  /** Credentials that tenants handed over for accounts of their own. */
  'tenant-secret',
  /** The newest version of a tenant's data key. */
  'data-key',
  /** A data key that is wrapped with an older version than the one that wraps now. */
  'wrapping',
] as const
export type SecretKind = (typeof secretKinds)[number]

const DAY_MS = 86_400_000

/**
 * Days after which each is due. Of keys that people and settings hold, 90 (CIS Microsoft Azure Foundations Benchmark, on access keys of
 * storage accounts); of tenants' own credentials, which take a hand at both ends, twice that; of keys that never leave a vault or a
 * table in the clear, a year (NIST SP 800-57 Part 1, 5.3.6, allows two). What is wrapped with an older version is due a month after the
 * platform first saw the newer one.
 */
export const dueAfterDays: Readonly<Record<SecretKind, number>> = {
  'backend-key': 90,
  'operator-token': 90,
  'application-secret': 90,
  'wrapping-key': 365,
  'tenant-secret': 180,
  'data-key': 365,
  wrapping: 30,
}

/** Pure. What nobody noted the age of is not due: there is nothing to say of it. */
export const isRotationDue = ({ kind, sinceMs }: AgedSecret, nowMs: number): boolean =>
  sinceMs !== undefined && nowMs - sinceMs >= dueAfterDays[kind] * DAY_MS

/** The report of one look at all of them. */
export interface RotationReport {
  /** Unix milliseconds. */
  readonly lookedAt: number
  /** False where the look had not the time for every tenant. */
  readonly isComplete: boolean
  readonly counts: Readonly<Record<SecretKind, { readonly looked: number; readonly due: number }>>
  /** The oldest of what is due, so many of each kind at most; `counts` has them all. */
  readonly due: readonly AgedSecret[]
}

export const DUE_NAMED_MAX = 50

/** Adds up what it is shown, in memory that does not grow with the number of tenants. */
export function createRotationTally(nowMs: number): {
  add(secret: AgedSecret): void
  report(isComplete: boolean): RotationReport
} {
  const counts = new Map<SecretKind, { looked: number; due: number }>(
    secretKinds.map((kind) => [kind, { looked: 0, due: 0 }]),
  )
  const due = new Map<SecretKind, AgedSecret[]>(secretKinds.map((kind) => [kind, []]))
  return {
    add: (secret) => {
      const isDue = isRotationDue(secret, nowMs)
      const { looked, due: before } = counts.get(secret.kind) ?? { looked: 0, due: 0 }
      counts.set(secret.kind, { looked: looked + 1, due: before + (isDue ? 1 : 0) })
      if (!isDue) return
      const oldest = [...(due.get(secret.kind) ?? []), secret].sort(
        (one, other) => (one.sinceMs ?? 0) - (other.sinceMs ?? 0),
      )
      due.set(secret.kind, oldest.slice(0, DUE_NAMED_MAX))
    },
    report: (isComplete) => ({
      lookedAt: nowMs,
      isComplete,
      counts: Object.fromEntries(counts) as RotationReport['counts'],
      due: [...due.values()].flat(),
    }),
  }
}
