import { z } from 'zod'
import type { Clock } from '../base/clock'
import type { Orchestrations } from '../base/durable-steps'
import type { HousekeepingStore, PurgeState } from './housekeeping-store'
import { countDry, type DryCount } from './keep-house'
import { purgeIds, type Purge } from './purge'
import { retention, type Kept } from './retention'
import { dueAfterDays, secretKinds, type RotationReport } from './rotation-report'

const purgeView = z.object({
  id: z.enum(purgeIds),
  wouldGo: z.int().meta({ description: 'What would be removed now; the least of it where `isComplete` is false.' }),
  isComplete: z.boolean(),
  lastRun: z.iso.datetime().optional(),
  removed: z.int().meta({ description: 'In the last run.' }),
  removedInRound: z.int(),
  removedEver: z.int(),
  isUnderWay: z.boolean().meta({ description: 'A round is not at its end; the next run goes on with it.' }),
})

export const shownHousekeeping = z
  .object({
    kept: z.array(
      z.object({
        what: z.string(),
        kept: z.string(),
        why: z.string(),
        purge: z.enum(purgeIds).optional(),
      }),
    ),
    purges: z.array(purgeView),
    rotation: z
      .object({
        lookedAt: z.iso.datetime(),
        isComplete: z.boolean(),
        counts: z.array(z.object({ kind: z.enum(secretKinds), looked: z.int(), due: z.int(), dueAfterDays: z.int() })),
        due: z.array(
          z.object({
            kind: z.enum(secretKinds),
            name: z.string(),
            tenantId: z.string().optional(),
            since: z.iso.datetime().optional(),
          }),
        ),
      })
      .optional()
      .meta({ description: 'Absent until the first daily look.' }),
  })
  .meta({ id: 'Housekeeping' })

/** What is kept how long, what would go now, and which secrets are due; nothing is removed. */
export type ShowHousekeeping = (orchestrations: Orchestrations) => Promise<z.input<typeof shownHousekeeping>>

export function createShowHousekeeping({
  purges,
  store,
  clock,
}: {
  purges: readonly Purge[]
  store: HousekeepingStore
  clock: Clock
}): ShowHousekeeping {
  return async (orchestrations) => {
    const counts = await countDry({ purges, clock }, orchestrations)
    const states = new Map<Purge['id'], PurgeState | undefined>()
    for (const { id } of purges) states.set(id, await store.purge(id))
    const report = await store.report()
    return {
      kept: retention.map(({ what, kept, why }) => ({
        what,
        kept: describeKept(kept),
        why,
        purge: kept.kind === 'for' && kept.by.kind === 'purge' ? kept.by.id : undefined,
      })),
      purges: purges.map(({ id }) => viewOfPurge(id, counts.get(id), states.get(id))),
      rotation: report && rotationView(report),
    }
  }
}

const isoTime = (ms: number) => new Date(ms).toISOString()

const viewOfPurge = (id: Purge['id'], dry: DryCount | undefined, state: PurgeState | undefined) => ({
  id,
  wouldGo: dry?.count ?? 0,
  isComplete: dry?.isComplete ?? false,
  lastRun: state && isoTime(state.ranAt),
  removed: state?.removed ?? 0,
  removedInRound: state?.removedInRound ?? 0,
  removedEver: state?.removedEver ?? 0,
  isUnderWay: state?.position !== undefined,
})

const rotationView = ({ lookedAt, isComplete, counts, due }: RotationReport) => ({
  lookedAt: isoTime(lookedAt),
  isComplete,
  counts: secretKinds.map((kind) => ({ kind, ...counts[kind], dueAfterDays: dueAfterDays[kind] })),
  due: due.map(({ kind, name, tenantId, sinceMs }) => ({
    kind,
    name,
    tenantId,
    since: sinceMs === undefined ? undefined : isoTime(sinceMs),
  })),
})

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** In the words of docs/housekeeping.md. */
export function describeKept(kept: Kept): string {
  switch (kept.kind) {
    case 'with-tenant':
      return 'as long as the tenant'
    case 'always':
      return 'as long as the platform'
    case 'until-removed':
      return 'until it is removed'
    case 'for':
      return `${kept.ms < DAY_MS ? `${kept.ms / HOUR_MS} hours` : `${kept.ms / DAY_MS} days`} after ${kept.since}`
  }
}
