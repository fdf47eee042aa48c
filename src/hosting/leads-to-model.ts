import { Problem } from '../base/problem'
import type { ModelVersion } from '../registry/model-version'
import type { TenantRecord } from '../tenants/tenant-record'
import { tunedBackendOf } from '../tenants/tuned-alias'

/** The aliases by which a tenant's calls may come to a model, its own name first. */
export function aliasesOf({ aliases }: Pick<TenantRecord, 'aliases'>, model: Pick<ModelVersion, 'name'>): string[] {
  const backendId = tunedBackendOf(model.name)
  const led = aliases.filter(({ groups }) =>
    groups.some(({ members }) => members.some((member) => member.backendId === backendId)),
  )
  return [model.name, ...led.map(({ name }) => name).filter((name) => name !== model.name)]
}

/** What stands in the way of its going for good: calls of its tenant that are led to it by other names. */
export function leadsToModel(
  record: Pick<TenantRecord, 'aliases' | 'settings'>,
  model: Pick<ModelVersion, 'name'>,
): Problem | undefined {
  const [, ...led] = aliasesOf(record, model)
  if (led.length > 0) {
    const names = led.map((name) => `"${name}"`).join(', ')
    const text = `Calls of ${names} are led to this model. Roll it back, or promote another model there, first.`
    return new Problem('conflict', text)
  }
  const falling = record.aliases.find(({ fallback }) => fallback === model.name)
  if (falling)
    return new Problem(
      'conflict',
      `The alias "${falling.name}" falls back to this model. Let it fall back elsewhere first.`,
    )
  const stood = record.settings.tunedModels?.whileAsleep?.find(({ answeredBy }) => answeredBy === model.name)
  return (
    stood &&
    new Problem(
      'conflict',
      `This model answers while that of "${stood.alias}" sleeps. Change the setting "tunedModels" first.`,
    )
  )
}
