import type { FieldError } from '../base/problem'
import { modelFacts } from './models'
import type { AliasSpec } from './tenant-record'

/** A call goes on to at most so many other models. */
const FALLBACKS_MAX = 3

/** Faults of the aliases to which others fall back: each must exist, be able to do the same, and not lead back. */
export function checkFallbacks(aliases: readonly AliasSpec[]): FieldError[] {
  const byName = new Map(aliases.map((alias) => [alias.name, alias]))
  return aliases.flatMap((alias, index) => {
    const message = faultOf(alias, byName)
    return message === undefined ? [] : [{ path: `aliases.${index}.fallback`, message }]
  })
}

function faultOf(alias: AliasSpec, byName: ReadonlyMap<string, AliasSpec>): string | undefined {
  if (alias.fallback === undefined) return undefined
  const target = byName.get(alias.fallback)
  if (!target) return `No alias "${alias.fallback}": a fallback is another alias of this tenant`
  const missing = capabilitiesOf(alias).filter((capability) => !capabilitiesOf(target).includes(capability))
  if (missing.length > 0) return `"${target.name}" cannot do ${missing.join(', ')}, which "${alias.name}" can`

  const seen = [alias.name]
  for (let next: AliasSpec | undefined = target; next; next = byName.get(next.fallback ?? '')) {
    if (seen.includes(next.name)) return `Leads back to "${next.name}": fallbacks must end`
    if (seen.length > FALLBACKS_MAX) return `Leads over more than ${FALLBACKS_MAX} other aliases`
    seen.push(next.name)
  }
  return undefined
}

const capabilitiesOf = ({ capabilities, model }: AliasSpec) => capabilities ?? modelFacts(model)?.capabilities ?? []
