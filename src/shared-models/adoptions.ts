import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { Problem, ProblemError } from '../base/problem'
import { familyOf } from '../datasets/training-models'
import type { SealedRecords } from '../encryption/sealed-records'
import { modelIdOfName } from '../registry/model-version'
import type { TenantScope } from '../storage/tenant-scope'
import { modelFacts } from '../tenants/models'
import type { AliasSpec } from '../tenants/tenant-record'
import type { Tenants } from '../tenants/tenants'
import { backendOf, offeredTo, type SharedModel, type SharedModelId } from './shared-model'

/**
 * A tenant's aliases that lead to shared models.
 * A1 What an alias was is on record before it is led elsewhere, so that it can be led back whoever broke off.
 * A2 An alias that somebody has led elsewhere since is left alone.
 */
export interface Adoptions {
  /** Leads an alias of the tenant, of the model's own base family, or makes one of this name. Repeating it changes nothing. */
  lead(scope: TenantScope, model: SharedModel, alias: string): Promise<Adoption | Problem>
  /** Back to what it was; one that was made for the model goes. `not_found` where the alias does not lead to it. */
  release(scope: TenantScope, id: SharedModelId, alias: string): Promise<Problem | undefined>
  /** Every alias that leads to one model leads to the other one: of the same family, in its place. */
  moveOn(scope: TenantScope, from: SharedModelId, to: SharedModelId): Promise<void>
  /** Every alias that leads to the model. */
  leadBack(scope: TenantScope, id: SharedModelId): Promise<void>
  list(scope: TenantScope): AsyncIterable<Adoption>
}

export interface Adoption {
  readonly alias: string
  readonly modelId: SharedModelId
  /** Undefined for an alias that was made for it. */
  readonly before?: AliasSpec['groups'] | undefined
  /** What it was when this was written: where it still is so, leading it broke off. */
  readonly from?: AliasSpec['groups'] | undefined
  /** Unix milliseconds. */
  readonly atMs: number
}

export interface AdoptionsDeps {
  readonly records: Pick<SealedRecords, 'get' | 'putIfAbsent' | 'replace' | 'remove' | 'values'>
  readonly tenants: Pick<Tenants, 'get' | 'leadAlias' | 'putAlias' | 'removeAlias'>
  readonly now: () => number
}

const PREFIX = 'sharedaliases-'
/** Aliases may have characters that ids of records do not take. */
const recordOf = (alias: string) => `${PREFIX}${hash('sha256', alias, 'hex').slice(0, 32)}`

export function createAdoptions({ records, tenants, now }: AdoptionsDeps): Adoptions {
  async function* list(scope: TenantScope): AsyncGenerator<Adoption> {
    for await (const { value } of records.values<Adoption>(scope, PREFIX)) yield value
  }

  /** Nothing where it was led elsewhere (A2), or its tenant is gone. */
  const leadTo = async (scope: TenantScope, alias: string, from: SharedModelId, groups: AliasSpec['groups']) => {
    const led = await tenants.leadAlias(scope, alias, (current) =>
      isDeepStrictEqual(current, groupsOf(from)) ? groups : undefined,
    )
    if (led instanceof Problem && !isNotOurs(led)) throw new ProblemError(led)
  }

  const leadAliasBack = async (scope: TenantScope, { alias, modelId, before }: Adoption) => {
    if (before) await leadTo(scope, alias, modelId, before)
    else {
      const spec = (await tenants.get(scope))?.aliases.find(({ name }) => name === alias)
      if (spec && isDeepStrictEqual(spec.groups, groupsOf(modelId))) {
        const removed = await tenants.removeAlias(scope, alias)
        if (removed instanceof Problem && !isNotOurs(removed)) throw new ProblemError(removed)
      }
    }
    await records.remove(scope, recordOf(alias))
  }

  return {
    list,
    lead: async (scope, model, alias) => {
      const fault = faultOfModel(scope, model)
      if (fault) return fault
      const known = (await records.get<Adoption>(scope, recordOf(alias)))?.value
      const spec = (await tenants.get(scope))?.aliases.find(({ name }) => name === alias)
      const isLed = spec && isDeepStrictEqual(spec.groups, groupsOf(model.id))
      if (known?.modelId === model.id && isLed) return known
      const wrong = faultOfAlias(alias, spec, model)
      if (wrong) return wrong
      // One that already leads to another shared model goes back, in the end, to what it was before that.
      const isOurs =
        known && [groupsOf(known.modelId), known.from].some((each) => isDeepStrictEqual(each, spec?.groups))
      const adoption: Adoption = {
        alias,
        modelId: model.id,
        before: isOurs ? known.before : spec?.groups,
        from: spec?.groups,
        atMs: now(),
      }
      await put(records, scope, adoption)
      const led = spec
        ? await tenants.leadAlias(scope, alias, (current) =>
            isDeepStrictEqual(current, spec.groups) ? groupsOf(model.id) : undefined,
          )
        : await tenants.putAlias(scope, madeAlias(alias, model))
      return led instanceof Problem ? led : adoption
    },
    release: async (scope, id, alias) => {
      const known = (await records.get<Adoption>(scope, recordOf(alias)))?.value
      if (known?.modelId !== id) return new Problem('not_found', 'No such alias leads to this model.')
      await leadAliasBack(scope, known)
      return undefined
    },
    moveOn: async (scope, from, to) => {
      for await (const adoption of list(scope)) {
        if (adoption.modelId !== from) continue
        await leadTo(scope, adoption.alias, from, groupsOf(to))
        await put(records, scope, { ...adoption, modelId: to })
      }
    },
    leadBack: async (scope, id) => {
      for await (const adoption of list(scope)) if (adoption.modelId === id) await leadAliasBack(scope, adoption)
    },
  }
}

const groupsOf = (id: SharedModelId): AliasSpec['groups'] => [{ members: [{ backendId: backendOf(id), weight: 1 }] }]

/** The alias is gone, its tenant is, or somebody else has made of it what it is. */
const isNotOurs = ({ code }: Problem) => code === 'not_found' || code === 'precondition_failed'

const PUT_ATTEMPTS_MAX = 5

async function put(records: AdoptionsDeps['records'], scope: TenantScope, adoption: Adoption): Promise<void> {
  const id = recordOf(adoption.alias)
  for (let attempt = 0; attempt < PUT_ATTEMPTS_MAX; attempt++) {
    const found = await records.get<Adoption>(scope, id)
    const result = await (found
      ? records.replace(scope, id, adoption, found.etag)
      : records.putIfAbsent(scope, id, adoption))
    if (result.kind === 'written') return
  }
  throw new Error('others are leading this alias at the moment')
}

/** A model that is not offered to the tenant is one that never was. */
function faultOfModel({ tenantId }: TenantScope, model: SharedModel): Problem | undefined {
  if (!offeredTo(model).includes(tenantId)) return noSharedModel
  return model.state.kind === 'ready'
    ? undefined
    : new Problem('conflict', 'The shared model does not answer calls now.')
}
export const noSharedModel = new Problem('not_found', 'There is no such shared model.')

/** Calls of an alias have one price and one set of limits, whichever member of it answers: its model's. */
function faultOfAlias(alias: string, spec: AliasSpec | undefined, { order }: SharedModel): Problem | undefined {
  if (modelIdOfName(alias)) return invalid(`"${alias}" is the name of a tuned model, and leads to no other`)
  const family = familyOf(order.baseModel)
  if (!spec || familyOf(spec.model) === family) return undefined
  return invalid(
    `"${alias}" is an alias of ${spec.model}, and this model was made of ${family}: its price would be wrong`,
  )
}

const invalid = (message: string) =>
  new Problem('invalid_request', `alias: ${message}`, { param: 'alias', errors: [{ path: 'alias', message }] })

const madeAlias = (name: string, { id, order }: SharedModel): AliasSpec => {
  const model = familyOf(order.baseModel)
  return { name, model, capabilities: modelFacts(model)?.capabilities ?? ['chat'], groups: groupsOf(id) }
}
