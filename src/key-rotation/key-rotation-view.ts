import { z } from 'zod'
import type { RotatedAccount } from './rotated-accounts'

const DAYS_MIN = 1
const DAYS_MAX = 730
const DAY_MS = 86_400_000

export const keyRotationPolicy = z.strictObject({
  everyDays: z
    .int()
    .min(DAYS_MIN)
    .max(DAYS_MAX)
    .nullable()
    .meta({ description: 'Both keys are new after so many days; null: only when asked.' }),
})

const time = z.iso.datetime().optional()

export const shownKeyRotation = z
  .object({
    accountId: z.string().meta({ description: 'All backends at this account are called with the same key.' }),
    everyDays: z.int().nullable(),
    adoptedAt: time.meta({
      description: 'From then on calls go out with a key of the vault, whatever the setting says.',
    }),
    rotatedAt: time.meta({ description: 'When both keys were last new.' }),
    dueAt: time.meta({ description: 'By the policy.' }),
    operation: z
      .object({ operationId: z.string(), startedAt: z.iso.datetime(), statusUrl: z.string() })
      .optional()
      .meta({ description: 'The rotation under way.' }),
    failed: z
      .object({ at: z.iso.datetime(), code: z.string(), detail: z.string() })
      .optional()
      .meta({ description: 'How the last one ended, where it ended badly.' }),
  })
  .meta({ id: 'KeyRotation' })

/** Never a key, nor anything made of one. */
export function keyRotationView(account: RotatedAccount): z.infer<typeof shownKeyRotation> {
  const { accountId, everyDays, adoptedAt, rotatedAt, run, failed } = account
  return {
    accountId,
    everyDays: everyDays ?? null,
    ...(adoptedAt === undefined ? {} : { adoptedAt: iso(adoptedAt) }),
    ...(rotatedAt === undefined ? {} : { rotatedAt: iso(rotatedAt) }),
    ...(everyDays === undefined || rotatedAt === undefined ? {} : { dueAt: iso(rotatedAt + everyDays * DAY_MS) }),
    ...(run
      ? {
          operation: {
            operationId: run.operationId,
            startedAt: iso(run.startedAt),
            statusUrl: `/api/platform/operations/${run.operationId}`,
          },
        }
      : {}),
    ...(failed ? { failed: { ...failed, at: iso(failed.at) } } : {}),
  }
}

const iso = (timeMs: number) => new Date(timeMs).toISOString()
