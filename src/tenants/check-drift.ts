import type { FieldError } from '../base/problem'
import { modelFacts } from './models'
import type { TenantRecord } from './tenant-record'

/** Where the settings name none: by custom an index up to 0.1 is nothing, and 0.25 or more a shift that matters (Siddiqi, 2006). */
export const driftBoundsDefault = { warnAt: 0.1, alarmAt: 0.25 } as const

/**
 * Faults of how drift is watched. An alias for topics that is not there, or not any more, means nothing: topics are not compared then,
 * and the model's drift says so.
 */
export function checkDrift({ aliases, settings }: Pick<TenantRecord, 'aliases' | 'settings'>): FieldError[] {
  const { drift } = settings
  if (!drift) return []
  const faults: FieldError[] = []
  const { topicsAlias, warnAt = driftBoundsDefault.warnAt, alarmAt = driftBoundsDefault.alarmAt } = drift
  if (warnAt > alarmAt)
    faults.push({ path: 'settings.drift.warnAt', message: `Must be at most alarmAt, which is ${alarmAt}` })
  const alias = aliases.find(({ name }) => name === topicsAlias)
  const capabilities = alias && (alias.capabilities ?? modelFacts(alias.model)?.capabilities ?? [])
  if (capabilities && !capabilities.includes('embeddings'))
    faults.push({
      path: 'settings.drift.topicsAlias',
      message: `"${topicsAlias}" makes no embeddings; another alias may`,
    })
  return faults
}
