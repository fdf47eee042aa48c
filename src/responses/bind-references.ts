import type { Caller } from '../access/caller'
import { Problem } from '../base/problem'
import type { Bind, Bound, Renaming } from '../inference/binding'
import { invalid } from '../inference/body-fields'
import type { ItemReference, References } from '../inference/references'
import type { TenantScope } from '../storage/tenant-scope'
import { findResponse, isKnownTo } from './find-response'
import { KeptResponse, type KeeperDeps } from './kept-response'
import { isSameAccount, type Holder, type ItemRecord } from './response-record'
import type { ResponseStore } from './response-store'
import { rewrites } from './rewrite-body'
import { stageFiles, type StagingDeps } from './stage-files'

export interface BindDeps extends KeeperDeps, StagingDeps {
  readonly store: ResponseStore
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
  (input) => {
    const { keeping, references = NONE } = input.call
    const namesNothing = keeping?.previousId === undefined && references.items.length + references.files.length === 0
    return namesNothing ? bound(deps, { ...input, holder: undefined, renames: [] }) : proven(deps, input)
  }

type BindInput = Parameters<Bind>[0]

async function proven(deps: BindDeps, input: BindInput): Promise<Bound | Problem> {
  const { scope, call, grant } = input
  const { keeping, references = NONE } = call
  const previousId = keeping?.previousId
  const [previous, items] = await Promise.all([
    previousId === undefined ? undefined : findResponse(deps, scope, grant.caller, previousId),
    findItems(deps, scope, grant.caller, neededItems(references.items)),
  ])
  if (previousId !== undefined && !previous) return previousNotFound(previousId)

  // Items that say all that they are themselves need no id: those of responses that were not stored, sent back as they came.
  const nameless = references.items.filter(({ id }) => !items.has(id))
  const unknown = nameless.find(({ wholeAt }) => wholeAt === undefined)
  if (unknown) return itemNotFound(unknown)

  const holders = [...(previous ? [previous.holder] : []), ...[...items.values()].map(({ holder }) => holder)]
  const [holder] = holders
  if (holder && holders.some((other) => !isSameAccount(other, holder)))
    return invalid('input', 'names items of responses that different accounts hold; a call can go on from one of them')

  const { files } = references
  const staged = files.length > 0 ? await stageFiles(deps, { scope, grant, references: files, holder }) : undefined
  if (staged instanceof Problem) return staged
  const renames = [
    ...(previous ? [{ upstreamId: previous.upstreamId, ourId: previous.id }] : []),
    ...(staged?.renames ?? []),
  ]
  const edits = rewrites(call.body, { nameless, files, renames })
  if (previous) edits.push({ key: 'previous_response_id', value: JSON.stringify(previous.upstreamId) })
  const rewritten = { ...call, rewrites: edits, earlierTokens: previous?.tokens }
  return bound(deps, { ...input, call: rewritten, holder: staged?.holder ?? holder, renames })
}

interface Proven extends BindInput {
  readonly holder: Holder | undefined
  readonly renames: readonly Renaming[]
}

function bound(deps: BindDeps, { holder, ...input }: Proven): Bound {
  const { call } = input
  const { keeping } = call
  return {
    call,
    isHolder: holder && ((backend) => isSameAccount(backend, holder)),
    response: keeping && new KeptResponse(deps, { ...input, keeping }),
  }
}

/** Where every item says all that it is, none needs its id, and nothing has to be looked up. */
const neededItems = (items: readonly ItemReference[]) =>
  items.some(({ wholeAt }) => wholeAt === undefined) ? items : []

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

function previousNotFound(id: string): Problem {
  const text = `Previous response with id '${id.slice(0, 100)}' not found.`
  return new Problem('previous_response_not_found', text, { param: 'previous_response_id' })
}

/** As the provider says it. */
function itemNotFound({ id, param }: ItemReference): Problem {
  const text = `Item with id '${id.slice(0, 100)}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`
  return new Problem('not_found', text, { param })
}
