import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../base/clock'
import type { BackendId, TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { AsleepBackend } from './asleep-backend'
import { canaryTenantId } from './canary'
import { checkRecord } from './check-record'
import { compileSnapshot } from './compile-snapshot'
import { nextState, type LifecycleEvent } from './lifecycle'
import type { Measure } from './measure'
import type { SnapshotStore } from './snapshot-store'
import type { TenantDirectory } from './tenant-directory'
import { newRecord, patchedRecord, withModels, type ModelsChange } from './edit-record'
import { isPlatformOwner } from './platform-owner'
import type { TenantInput, TenantPatch } from './tenant-input'
import type { AliasSpec, TenantRecord } from './tenant-record'

/**
 * Tenants' records and the one way to change them. The record is written first and the snapshot last, under the
 * record's version: after a crash in between, the old snapshot serves until the next change, or the same one asked for
 * again, compiles the record anew.
 */
export interface Tenants {
  /**
   * Makes the record, in state `onboarding`, unseen by the data path. Safe to repeat: a record that is already there is
   * returned as it is.
   */
  register(tenantId: TenantId, input: TenantInput): Promise<TenantRecord | Problem>
  /** What `register` would refuse; nothing is made. */
  check(tenantId: TenantId, input: TenantInput): Promise<Problem | undefined>
  get(scope: TenantScope): Promise<TenantRecord | undefined>
  /** `expects` is asked about the version that would be replaced; a no is `precondition_failed`. */
  patch(scope: TenantScope, patch: TenantPatch, expects: (version: number) => boolean): Promise<TenantRecord | Problem>
  /** Also for a tenant that is there already: then it only compiles the snapshot again. */
  transition(scope: TenantScope, event: LifecycleEvent): Promise<TenantRecord | Problem>
  /** Says where the data is by now; moving it is somebody else's work. */
  setDataIsolation(scope: TenantScope, data: TenantRecord['isolation']['data']): Promise<TenantRecord | Problem>
  /** What `setModels` would refuse of a tenant that is this record now. */
  checkModels(record: TenantRecord, change: ModelsChange): Promise<Problem | undefined>
  /**
   * Other models for every alias at once: calls that begin before go on as they began. `routes` lead to backends of the
   * tenant's own, by alias; an alias that needs one and is not among them is a `conflict`, and nothing is changed.
   */
  setModels(scope: TenantScope, change: ModelsChange, routes: Routes): Promise<TenantRecord | Problem>
  /** Leads aliases to backends of the tenant's own, by alias; what already leads there is left alone. */
  setRoutes(scope: TenantScope, routes: Routes): Promise<TenantRecord | Problem>
  /**
   * Leads one alias elsewhere; `lead` is asked about the groups that would be replaced. Undefined leaves them and is
   * `precondition_failed`, an alias that is not there `not_found`.
   */
  leadAlias(
    scope: TenantScope,
    alias: string,
    lead: (groups: AliasSpec['groups']) => AliasSpec['groups'] | undefined,
  ): Promise<TenantRecord | Problem>
  /** An alias that leads to a backend of the tenant's own; one of this name that is there becomes this one. */
  putAlias(scope: TenantScope, alias: AliasSpec): Promise<TenantRecord | Problem>
  /** One that is not there is no error. */
  removeAlias(scope: TenantScope, name: string): Promise<TenantRecord | Problem>
  /** What sleeps, in place of what was said of the same backend before; undefined: it is awake, or gone. */
  setAsleep(
    scope: TenantScope,
    backendId: BackendId,
    asleep: AsleepBackend | undefined,
  ): Promise<TenantRecord | Problem>
  /** What holds at the backends of a pool, in place of what held there before; undefined: nothing does. */
  setMeasure(scope: TenantScope, poolId: BackendId, measure: Measure | undefined): Promise<TenantRecord | Problem>
  /** Record, snapshot and directory entry: as if the tenant had never been registered. */
  remove(scope: TenantScope): Promise<void>
  list(page: { after?: TenantId | undefined; limit: number }): Promise<TenantPage>
}

export type Routes = Readonly<Record<string, AliasSpec['groups']>>

export interface TenantPage {
  readonly tenants: readonly TenantRecord[]
  /** Where the next page begins; undefined on the last. */
  readonly next: TenantId | undefined
}

export interface TenantsDeps {
  readonly table: TenantTable<Columns>
  readonly directory: TenantDirectory
  readonly snapshots: SnapshotStore
  readonly clock: Clock
  /** Those of `ids` that exist and that this tenant's aliases may name, as storage has them now. */
  readonly knownBackends: (ids: readonly BackendId[], tenantId: TenantId) => Promise<ReadonlySet<BackendId>>
  /** Told of every compiled change, so that this instance need not wait for its cache. */
  readonly onChange: (tenantId: TenantId) => void
}

export const tenantStorage = { tables: ['tenants', 'tenantdirectory'] } as const

const ROW = 'record'

/** Changes to one tenant are rare; one that loses this many races in a row tells its client to try again. */
const CHANGE_ATTEMPTS_MAX = 5

export function createTenants(deps: TenantsDeps): Tenants {
  const { table, directory, clock } = deps

  const get = async (scope: TenantScope) => {
    const row = await table.get(scope, ROW)
    return row && fromJsonColumns<TenantRecord>(row.columns)
  }
  const change = async (scope: TenantScope, edit: Edit) => {
    for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
      const row = await table.get(scope, ROW)
      if (!row) return noSuchTenant
      const current = fromJsonColumns<TenantRecord>(row.columns)
      const edited = await edit(current)
      if (edited instanceof Problem) return edited
      if (edited === current) return publish(deps, scope, current)
      const next = { ...edited, version: current.version + 1, updatedAt: clock.now() }
      const result = await table.replace(scope, ROW, toJsonColumns(next), row.etag)
      if (result.kind === 'written') return publish(deps, scope, next)
    }
    return new Problem('conflict', 'Others are changing this tenant at the moment. Try again.')
  }

  return {
    get,
    check: (tenantId, input) => faultOf(deps, { next: newRecord(tenantId, input, clock.now()), current: undefined }),
    register: async (tenantId, input) => {
      const record = newRecord(tenantId, input, clock.now())
      const fault = await faultOf(deps, { next: record, current: undefined })
      if (fault) return fault
      if (tenantId !== canaryTenantId && !isPlatformOwner(tenantId)) await directory.add(tenantId)
      const scope = TenantScope.ofPlatform(tenantId)
      const result = await table.insert(scope, ROW, toJsonColumns(record))
      return result.kind === 'written' ? record : ((await get(scope)) ?? noSuchTenant)
    },
    patch: (scope, patch, expects) =>
      change(scope, async (current) => {
        if (!expects(current.version)) return changedMeanwhile
        const next = patchedRecord(current, patch)
        return (await faultOf(deps, { next, current })) ?? next
      }),
    transition: (scope, event) =>
      change(scope, (record) => {
        const state = nextState(record.state, event)
        if (state === record.state) return record
        if (state) return { ...record, state }
        return new Problem('conflict', `A tenant that is ${record.state} cannot ${event.replaceAll('-', ' ')}.`)
      }),
    setDataIsolation: (scope, data) =>
      change(scope, (record) =>
        record.isolation.data === data ? record : { ...record, isolation: { ...record.isolation, data } },
      ),
    checkModels: (record, models) => faultOf(deps, { next: withModels(record, models), current: undefined }),
    setModels: (scope, models, routes) =>
      change(scope, async (record) => {
        const wanted = withModels(record, models)
        const fault = await faultOf(deps, { next: wanted, current: undefined })
        if (fault) return fault
        const next = withRoutes(wanted, routes)
        const unserved = next.aliases.find(({ groups }) => groups.length === 0)
        if (unserved) return new Problem('conflict', `The alias "${unserved.name}" came while its tenant was moved.`)
        return isDeepStrictEqual(next, record) ? record : next
      }),
    setRoutes: (scope, routes) =>
      change(scope, (record) => {
        const next = withRoutes(record, routes)
        return isDeepStrictEqual(next, record) ? record : next
      }),
    leadAlias: (scope, name, lead) =>
      change(scope, (record) => {
        const alias = record.aliases.find((other) => other.name === name)
        if (!alias) return new Problem('not_found', `There is no alias "${name}".`)
        const groups = lead(alias.groups)
        if (!groups) return new Problem('precondition_failed', `The alias "${name}" was changed meanwhile.`)
        return isDeepStrictEqual(groups, alias.groups) ? record : withRoutes(record, { [name]: groups })
      }),
    putAlias: (scope, alias) =>
      change(scope, async (current) => {
        const known = current.aliases.find(({ name }) => name === alias.name)
        if (isDeepStrictEqual(known, alias)) return current
        const others = current.aliases.filter(({ name }) => name !== alias.name)
        const next = { ...current, aliases: [...others, alias] }
        return (await faultOf(deps, { next, current })) ?? next
      }),
    removeAlias: (scope, name) =>
      change(scope, (current) => {
        const aliases = current.aliases.filter((alias) => alias.name !== name)
        return aliases.length === current.aliases.length ? current : { ...current, aliases }
      }),
    setAsleep: (scope, backendId, asleep) =>
      change(scope, (current) => {
        const { asleep: before = [], ...rest } = current
        const others = before.filter((each) => each.backendId !== backendId)
        const after = asleep ? [...others, asleep] : others
        if (isDeepStrictEqual(after, before)) return current
        return after.length > 0 ? { ...rest, asleep: after } : rest
      }),
    setMeasure: (scope, poolId, measure) =>
      change(scope, (current) => {
        const { measures: before = [], ...rest } = current
        const others = before.filter((each) => each.poolId !== poolId)
        const after = measure ? [...others, measure] : others
        if (isDeepStrictEqual(after, before)) return current
        return after.length > 0 ? { ...rest, measures: after } : rest
      }),
    remove: async (scope) => {
      await table.removeAll(scope)
      await directory.remove(scope.tenantId)
      deps.onChange(scope.tenantId)
    },
    list: async (page) => {
      const { tenantIds, more } = await directory.page(page)
      const records = await Promise.all(tenantIds.map((tenantId) => get(TenantScope.ofPlatform(tenantId))))
      const tenants = records.filter((record) => record !== undefined)
      return { tenants, next: more ? tenantIds.at(-1) : undefined }
    },
  }
}

const withRoutes = (record: TenantRecord, routes: Routes): TenantRecord => ({
  ...record,
  aliases: record.aliases.map((alias) => ({ ...alias, groups: routes[alias.name] ?? alias.groups })),
})

/** The record to be written; the same object to leave it as it is and only compile it again. */
type Edit = (current: TenantRecord) => TenantRecord | Problem | Promise<TenantRecord | Problem>

const noSuchTenant = new Problem('not_found', 'There is no such tenant.')
const changedMeanwhile = new Problem(
  'precondition_failed',
  'The tenant was changed since the version in If-Match. Read it again and repeat the change on what you find.',
)

/** Until it is activated a tenant has no snapshot: onboarding prepares everything unseen (I17). */
async function publish(
  { snapshots, onChange }: TenantsDeps,
  scope: TenantScope,
  record: TenantRecord,
): Promise<TenantRecord> {
  if (record.state === 'onboarding') return record
  await snapshots.write(scope, compileSnapshot(record))
  onChange(record.tenantId)
  return record
}

/** Backends that the current record names already pass: one that was deleted since must not stand in the way of a change. */
async function faultOf(
  { knownBackends }: TenantsDeps,
  { next, current }: { next: TenantRecord; current: TenantRecord | undefined },
): Promise<Problem | undefined> {
  const known = new Set(current ? backendsOf(current) : [])
  const unseen = [...new Set(backendsOf(next))].filter((id) => !known.has(id))
  const found = unseen.length > 0 ? await knownBackends(unseen, next.tenantId) : new Set<BackendId>()
  const errors = checkRecord(next, { current, knownBackends: known.union(found) })
  const [first] = errors
  return first && new Problem('invalid_request', `${first.path}: ${first.message}`, { param: first.path, errors })
}

const backendsOf = ({ aliases }: TenantRecord): BackendId[] =>
  aliases.flatMap(({ groups }) => groups.flatMap(({ members }) => members.map(({ backendId }) => backendId)))
