import { driftBoundsDefault } from '../tenants/check-drift'
import type { DriftSettings } from '../tenants/snapshot'
import type { DriftBounds } from './judge-drift'

/** With 500 a day and 200 needed, a model is judged from its first busy day on; an embedding of each costs less than a cent a day. */
const CALLS_PER_DAY_DEFAULT = 500
const WINDOW_DAYS_DEFAULT = 7
export const WINDOW_DAYS_MAX = 30

export interface DriftWatching {
  readonly perDayMax: number
  readonly windowDays: number
  readonly bounds: DriftBounds
  readonly topicsAlias: string | undefined
}

/** What holds where a tenant's settings say nothing else. */
export const watchingDefault: DriftWatching = {
  perDayMax: CALLS_PER_DAY_DEFAULT,
  windowDays: WINDOW_DAYS_DEFAULT,
  bounds: driftBoundsDefault,
  topicsAlias: undefined,
}

/** Undefined for a tenant that has not asked for it: of its calls nothing is measured. */
export function watchingOf(settings: DriftSettings | undefined): DriftWatching | undefined {
  if (!settings?.watch) return undefined
  const { callsPerDayMax, windowDays, warnAt, alarmAt, topicsAlias } = settings
  return {
    perDayMax: callsPerDayMax ?? watchingDefault.perDayMax,
    windowDays: windowDays ?? watchingDefault.windowDays,
    bounds: { warnAt: warnAt ?? driftBoundsDefault.warnAt, alarmAt: alarmAt ?? driftBoundsDefault.alarmAt },
    topicsAlias,
  }
}
