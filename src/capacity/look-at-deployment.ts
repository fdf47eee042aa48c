import type { PlannedDeployment } from '../provisioning/models-plan'
import type { Backend } from '../routing/backend'
import type { UsageGroup, UsageSums } from '../usage/usage-sums'
import { DAY_MS, dayOf, type DayNumber } from './day'
import { createDayTally } from './day-tally'
import { limitsOfDeployment, outputWeightOf } from './deployment-limits'
import { lookAt, type LookDeps } from './look-at'
import { createHourTally } from './observed-hours'
import { OUTPUT_WEIGHT_DEFAULT } from './provisioned/terms'
import { HOURLY_DAYS, minutesFromDay } from './read-days'
import type { CapacityRun } from './run'

const DAY_HOURS = 24

/** What a deployment served, by days and by hours. */
export interface DeploymentTally {
  readonly days: ReturnType<typeof createDayTally>
  readonly hours: ReturnType<typeof createHourTally>
  add(startMs: number, group: UsageGroup, sums: Readonly<UsageSums>): void
}

export function createDeploymentTally(
  backend: Backend,
  { nowMs, through }: { nowMs: number; through: DayNumber },
): DeploymentTally {
  const outputWeight = outputWeightOf(backend)
  const minutesFrom = minutesFromDay(nowMs)
  const days = createDayTally({ minutesFromDay: minutesFrom, outputWeight, turnedAway: 'throttled' })
  const hours = createHourTally({
    fromHour: (Math.max(dayOf(nowMs), through) - HOURLY_DAYS) * DAY_HOURS,
    minutesFromHour: minutesFrom * DAY_HOURS,
    outputWeight: outputWeight ?? OUTPUT_WEIGHT_DEFAULT,
  })
  return {
    days,
    hours,
    add: (startMs, group, sums) => {
      days.add(startMs, group, sums)
      hours.add(startMs, group, sums)
    },
  }
}

export async function lookAtDeployment(
  deps: LookDeps,
  {
    backend,
    planned,
    tally,
    run: { through, generation },
  }: { backend: Backend; planned: PlannedDeployment | undefined; tally: DeploymentTally; run: CapacityRun },
): Promise<void> {
  const { store } = deps
  const setting = (await store.setting(backend.id))?.value
  const hours = tally.hours.over(await store.hours(backend.id), lastHourOf(through))
  if (hours) await store.putHours(backend.id, hours)
  await lookAt(deps, {
    subject: { kind: 'deployment', backendId: backend.id },
    tally: tally.days,
    limits: limitsOfDeployment({ backend, setting, planned }),
    through,
    generation,
    title: `The deployment ${backend.name}`,
    tenantId: undefined,
  })
}

const lastHourOf = (day: DayNumber) => ((day + 1) * DAY_MS) / (DAY_MS / DAY_HOURS) - 1
