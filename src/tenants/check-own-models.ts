import { isDeepStrictEqual } from 'node:util'
import type { FieldError } from '../base/problem'
import { canaryTenantId } from './canary'
import type { AliasSpec, TenantRecord } from './tenant-record'
import { isTunedAlias } from './tuned-alias'

/**
 * Whether what a record says of its models fits its isolation: shared aliases name backends, own ones the deployment that is
 * made for them, and a tenant-owned account every alias's deployment. `current` is what the record was before the change.
 */
export function checkOwnModels(next: TenantRecord, current: TenantRecord | undefined): FieldError[] {
  const { models } = next.isolation
  // The canary's one alias leads nowhere on purpose.
  if (models === 'shared') return next.tenantId === canaryTenantId ? [] : checkShared(next)
  const none = { path: 'aliases', message: 'Must name at least one alias: models of a tenant’s own are made for them' }
  const errors = next.aliases.flatMap((alias, index) =>
    checkAlias(alias, { index, next, before: current?.aliases.find(({ name }) => name === alias.name), current }),
  )
  // One that gives up its last alias later needs no new one for that.
  if (next.aliases.length === 0 && !current) errors.push(none)
  return models === 'tenant-owned' ? [...errors, ...checkAccount(next, current)] : [...errors, ...needlessAccount(next)]
}

function checkShared(next: TenantRecord): FieldError[] {
  const errors = next.aliases.flatMap(({ groups, deployment }, index) => [
    ...(groups.length > 0
      ? []
      : [{ path: `aliases.${index}.groups`, message: 'Must name at least one group of backends to try' }]),
    ...(deployment === undefined
      ? []
      : [{ path: `aliases.${index}.deployment`, message: 'Only isolation "own-deployment" and "dedicated" make one' }]),
  ])
  return [...errors, ...needlessAccount(next)]
}

const needlessAccount = ({ ownAccount }: TenantRecord): FieldError[] =>
  ownAccount ? [{ path: 'ownAccount', message: 'Only isolation "tenant-owned" has an account of the tenant’s' }] : []

interface AliasContext {
  readonly index: number
  readonly next: TenantRecord
  readonly current: TenantRecord | undefined
  readonly before: AliasSpec | undefined
}

function checkAlias(alias: AliasSpec, { index, next, current, before }: AliasContext): FieldError[] {
  const at = (field: string, message: string): FieldError => ({ path: `aliases.${index}.${field}`, message })
  const isMade = next.isolation.models !== 'tenant-owned'
  const errors: FieldError[] = []
  // The platform has made its deployment itself, when the model was trained; whose backend it is, is looked at like any other's.
  if (isTunedAlias(alias))
    return alias.deployment ? [at('deployment', 'The deployment of a tuned model is made with the model')] : []
  if (isMade && !alias.deployment)
    errors.push(at('deployment', 'Must say which deployment to make: {"modelVersion", "sku", "capacity"}'))
  if (!isMade && alias.deployment)
    errors.push(at('deployment', 'The deployment is the tenant’s own: "ownAccount.deployments" names it'))
  if (!isDeepStrictEqual(alias.groups, before?.groups ?? []))
    errors.push(at('groups', 'Backends of a tenant’s own are made by the platform: leave this out'))
  if (!current) return errors
  // What is there was made for the aliases as they were: others need a deployment first.
  if (!before) errors.push(at('name', 'An alias with models of its own cannot be added later'))
  else if (before.model !== alias.model || !isDeepStrictEqual(before.deployment, alias.deployment))
    errors.push(at('model', 'The model and the deployment behind an alias of a tenant’s own cannot be changed'))
  return errors
}

function checkAccount({ ownAccount, aliases }: TenantRecord, current: TenantRecord | undefined): FieldError[] {
  if (!ownAccount) return [{ path: 'ownAccount', message: 'Must say where the tenant’s own account is' }]
  const { deployments, credential, directoryId } = ownAccount
  const names = new Set(aliases.filter((alias) => !isTunedAlias(alias)).map(({ name }) => name))
  const unserved = [...names].filter((name) => !Object.hasOwn(deployments, name))
  const errors = unserved.map((name) => ({
    path: `ownAccount.deployments.${name}`,
    message: `Must name the deployment that serves the alias "${name}"`,
  }))
  // An alias that is given up later leaves its deployment named.
  const idle = current ? [] : Object.keys(deployments).filter((name) => !names.has(name))
  for (const name of idle)
    errors.push({ path: `ownAccount.deployments.${name}`, message: `There is no alias "${name}"` })
  if (credential.kind === 'identity' && directoryId === undefined)
    errors.push({
      path: 'ownAccount.directoryId',
      message: 'Must name the directory in which the platform takes a token',
    })
  return errors
}
