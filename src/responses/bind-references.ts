import type { IdMaker } from '../base/ids'
import type { Clock } from '../base/clock'
import type { Log } from '../base/log'
import { Problem } from '../base/problem'
import type { Caller } from '../access/caller'
import type { Bind, Bound } from '../inference/binding'
import { invalid } from '../inference/body-fields'
import type { FieldEdit } from '../inference/json-fields'
import type { Body } from '../inference/operation'
import { notOffered, type ItemReference, type References } from '../inference/references'
import type { TenantScope } from '../storage/tenant-scope'
import { findResponse, isKnownTo } from './find-response'
import { KeptResponse, type KeeperDeps } from './kept-response'
import { isSameAccount, type Holder, type ItemRecord, type ResponseRecord } from './response-record'
import type { ResponseStore } from './response-store'

export interface BindDeps extends KeeperDeps {
  readonly store: ResponseStore
  readonly ids: Pick<IdMaker, 'responseId'>
  readonly clock: Clock
  readonly log: Log
}

/** Lookups at one time; a table takes far more. */
const LOOKUPS_AT_ONCE = 32

const NONE: References = { items: [], files: [] }

/**
 * Proves what a call names by the tenant's rows, and binds the response that it makes. What is unknown, foreign, expired or of an
 * alias that this key may not use looks alike.
 */
export const createBind =
  (deps: BindDeps): Bind =>
  ({ scope, call, grant, requestId }) => {
    const { keeping, references = NONE } = call
    const [file] = references.files
    if (file) return notOffered(file.param)
    if (keeping?.previousId === undefined && references.items.length === 0) {
      return bound(deps, { scope, call, grant, requestId, holder: undefined, previous: undefined })
    }
    return proven(deps, { scope, call, grant, requestId })
  }

type BindInput = Parameters<Bind>[0]

interface Proven extends BindInput {
  readonly holder: Holder | undefined
  readonly previous: ResponseRecord | undefined
}

async function proven(deps: BindDeps, input: BindInput): Promise<Bound | Problem> {
  const { scope, call, grant } = input
  const { keeping, references = NONE } = call
  const [previous, items] = await Promise.all([
    keeping?.previousId === undefined ? undefined : findResponse(deps, scope, grant.caller, keeping.previousId),
    findItems(deps, scope, grant.caller, references.items),
  ])
  if (keeping?.previousId !== undefined && !previous) return previousNotFound(keeping.previousId)

  const unproven = references.items.filter(({ id }) => !items.has(id))
  const unknown = unproven.find(({ wholeAt }) => wholeAt === undefined)
  if (unknown) return itemNotFound(unknown)

  const holders = [...(previous ? [previous.holder] : []), ...[...items.values()].map(({ holder }) => holder)]
  const [holder] = holders
  if (holder && holders.some((other) => !isSameAccount(other, holder)))
    return invalid('input', 'names items of responses that different accounts hold; a call can go on from one of them')

  const edits: FieldEdit[] = []
  if (previous) edits.push({ key: 'previous_response_id', value: JSON.stringify(previous.upstreamId) })
  if (unproven.length > 0) edits.push({ key: 'input', value: JSON.stringify(withoutIds(call.body, unproven)) })
  return bound(deps, {
    ...input,
    call: { ...call, rewrites: edits, earlierTokens: previous?.tokens },
    holder,
    previous,
  })
}

function bound(deps: BindDeps, { scope, call, grant, requestId, holder, previous }: Proven): Bound {
  const { keeping } = call
  return {
    call,
    isHolder: holder && ((backend) => isSameAccount(backend, holder)),
    response: keeping && new KeptResponse(deps, { scope, call, grant, keeping, requestId, previous }),
  }
}

async function findItems(
  { store, clock }: BindDeps,
  scope: TenantScope,
  caller: Caller,
  references: readonly ItemReference[],
): Promise<ReadonlyMap<string, ItemRecord>> {
  const ids = [...new Set(references.map(({ id }) => id))]
  const found = new Map<string, ItemRecord>()
  for (let at = 0; at < ids.length; at += LOOKUPS_AT_ONCE) {
    await Promise.all(
      ids.slice(at, at + LOOKUPS_AT_ONCE).map(async (id) => {
        const item = await store.item(scope, id)
        if (item && isKnownTo(caller, item, clock)) found.set(id, item)
      }),
    )
  }
  return found
}

/**
 * Items that say all that they are themselves go on without an id that nobody has proven: those of responses that were not
 * stored, which clients send back as they got them.
 */
function withoutIds({ input }: Body, unproven: readonly ItemReference[]): unknown {
  const places = new Set(unproven.map(({ wholeAt }) => wholeAt))
  const items = input as readonly Body[]
  return items.map((item, at) => (places.has(at) ? { ...item, id: undefined } : item))
}

function previousNotFound(id: string): Problem {
  const text = `Previous response with id '${id.slice(0, 100)}' not found.`
  return new Problem('previous_response_not_found', text, { param: 'previous_response_id' })
}

/** As the provider says it. */
function itemNotFound({ id, param }: ItemReference): Problem {
  const text = `Item with id '${id.slice(0, 100)}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`
  return new Problem('not_found', text, { param })
}
