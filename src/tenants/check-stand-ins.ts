import type { FieldError } from '../base/problem'
import { mayStandIn } from './asleep-backend'
import { modelFacts } from './models'
import type { AliasSpec, TenantRecord } from './tenant-record'

/**
 * Faults of what answers while a tuned model sleeps: an alias of the same model, which nobody else answers for. What the settings say
 * of an alias that is not there, since its model was undeployed, stays and means nothing.
 */
export function checkStandIns({ aliases, settings }: Pick<TenantRecord, 'aliases' | 'settings'>): FieldError[] {
  const standIns = settings.tunedModels?.whileAsleep ?? []
  const byName = new Map(aliases.map((alias) => [alias.name, alias]))
  return standIns.flatMap(({ alias: name, answeredBy }, index) => {
    const at = (field: string, message: string): FieldError => ({
      path: `settings.tunedModels.whileAsleep.${index}.${field}`,
      message,
    })
    if (standIns.findIndex(({ alias }) => alias === name) < index)
      return [at('alias', `"${name}" is named above already`)]
    const alias = byName.get(name)
    if (!alias) return []
    const other = byName.get(answeredBy)
    if (!other) return [at('answeredBy', `No alias "${answeredBy}": another alias of this tenant answers`)]
    if (!mayStandIn(shownOf(alias), shownOf(other)))
      return [at('answeredBy', `"${answeredBy}" is not another alias of ${alias.model} that can do what "${name}" can`)]
    if (standIns.some((each) => each.alias === answeredBy))
      return [at('answeredBy', `"${answeredBy}" has others answer for it itself`)]
    return []
  })
}

const shownOf = ({ name, model, capabilities }: AliasSpec) => ({
  name,
  model,
  capabilities: capabilities ?? modelFacts(model)?.capabilities ?? [],
})
