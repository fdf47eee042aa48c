import type { Caller } from '../access/caller'
import { requirePermission } from '../access/permissions'
import { Problem } from '../base/problem'
import type { ModelAlias, TenantSnapshot } from '../tenants/snapshot'
import type { Call } from './read-call'

/** Permission for one call: everything that is decided before anything is reserved. */
export interface Grant {
  readonly tenant: TenantSnapshot
  readonly caller: Caller
  readonly alias: ModelAlias
  /** Output tokens that the provider may generate for each choice; the cap where the client set none. */
  readonly outputTokens: number
}

/** An alias that does not exist and one that this key may not use look alike. */
export function authorize(tenant: TenantSnapshot, caller: Caller, call: Call): Grant | Problem {
  const alias = findAlias(tenant, caller, call.alias)
  if (!alias) return unknownAlias(call.alias)
  if (!alias.capabilities.includes(call.operation.capability)) {
    const text = `The alias '${alias.name}' cannot be used for ${call.operation.path}; it serves ${alias.capabilities.join(', ')}.`
    return new Problem('unsupported_parameter', text, { param: 'model' })
  }
  const cap = alias.outputTokensMax
  const { outputTokens: wanted, outputParam: param } = call
  if (wanted !== undefined && wanted > cap && call.operation.outputField) {
    const text = `'${param}' is ${wanted}; the cap for '${alias.name}' is ${cap}.`
    return new Problem('output_tokens_above_cap', text, { param })
  }
  const outputTokens = call.operation.outputField ? (wanted ?? cap) : (call.operation.requestedOutput?.(call) ?? 0)
  return { tenant, caller, alias, outputTokens }
}

/** A tenant that may call at all, and a key that may infer; before the body is read. */
export function checkActive(tenant: TenantSnapshot, caller: Caller): Problem | undefined {
  // While it is validated, only the onboarding has keys of it; people of its directory wait.
  const isOpen = tenant.state === 'active' || (tenant.state === 'validating' && caller.principal.kind === 'key')
  if (!isOpen) {
    return new Problem('tenant_not_active', `This tenant is ${tenant.state}; calls are refused until it is active.`)
  }
  return requirePermission(caller, 'inference.call')
}

export function findAlias(
  tenant: TenantSnapshot,
  caller: Pick<Caller, 'aliases'>,
  name: string,
): ModelAlias | undefined {
  if (caller.aliases && !caller.aliases.includes(name)) return undefined
  return Object.hasOwn(tenant.aliases, name) ? tenant.aliases[name] : undefined
}

export function unknownAlias(name: string): Problem {
  const text = `There is no deployment or model '${name.slice(0, 100)}' for this credential. GET /openai/v1/models lists what there is.`
  return new Problem('DeploymentNotFound', text, { param: 'model' })
}
