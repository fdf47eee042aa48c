import type { Clock } from '../base/clock'
import { parseTenantId, type TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import type { StorageAccount } from '../storage/connect'
import { TenantScope } from '../storage/tenant-scope'
import { headOf, queryUsage, rowOf, type UsageReport, type UsageReportRow } from './query-usage'
import type { RollUp } from './run-roll-up'
import type { TenantsWithUsage } from './tenants-with-usage'
import { writeCursor } from './usage-cursor'
import { sumUpPage } from './usage-page'
import { parseUsageQuery, widthOf, type UsageQuery } from './usage-query'
import { createUsageReader, type UsageReader } from './usage-reader'

/**
 * Usage as operators see it: of the tenant that they name, or of one tenant after the other. A cross-tenant reader (I4); each look is
 * audited as every request of an operator is.
 */
export interface PlatformUsageReport extends Omit<UsageReport, 'totals' | 'groupBy' | 'rows'> {
  readonly groupBy: readonly (UsageReport['groupBy'][number] | 'tenant')[]
  readonly rows: readonly (UsageReportRow & { readonly tenant: TenantId })[]
}

/** In one answer; a tenant costs a read of its rows. */
const PAGE_TENANTS_MAX = 200

/**
 * As `queryUsage`, with `tenant` for the usage of one, or `tenant` among `groupBy` for that of all: rows then carry their tenant, in
 * order of the ids, with no totals, since a page does not read them all. One of the two is necessary.
 */
export async function queryPlatformUsage(
  deps: {
    storage: StorageAccount
    clock: Clock
    rollUp: Pick<RollUp, 'run'>
    tenantsWithUsage: TenantsWithUsage
  },
  { tenant, groupBy = '', ...raw }: Readonly<Record<string, string>>,
): Promise<UsageReport | PlatformUsageReport | Problem> {
  const fields = groupBy.split(',').map((field) => field.trim())
  const isByTenant = fields.includes('tenant')
  const own = { ...raw, groupBy: fields.filter((field) => field !== 'tenant').join(',') }
  if (tenant !== undefined) {
    const tenantId = parseTenantId(tenant)
    if (!tenantId) return invalid('tenant', 'Must be the id of a tenant')
    if (isByTenant) return invalid('groupBy', 'Leave out either the field tenant here or the parameter of that name')
    return queryUsage(deps, TenantScope.ofPlatform(tenantId), own)
  }
  if (!isByTenant) return invalid('tenant', 'Name one, or group by tenant to see them all')
  const place = placeOf(raw['after'])
  if (!place) return invalid('after', 'Must be the "next" of an answer to the same query')
  const query = parseUsageQuery(
    { ...own, ...(place.after === undefined ? {} : { after: place.after }) },
    deps.clock.now(),
  )
  if (query instanceof Problem) return query
  await deps.rollUp.run({ fresh: true })
  return everyTenant({ ...deps, reader: createUsageReader(deps) }, query, place.tenantId)
}

async function everyTenant(
  { reader, tenantsWithUsage }: { reader: UsageReader; tenantsWithUsage: TenantsWithUsage },
  query: UsageQuery,
  fromTenant: TenantId | undefined,
): Promise<PlatformUsageReport> {
  const head = { ...headOf(query), groupBy: ['tenant' as const, ...query.groupBy] }
  const rows: (UsageReportRow & { readonly tenant: TenantId })[] = []
  let tenants = 0
  for await (const tenantId of tenantsWithUsage(query)) {
    if (fromTenant !== undefined && tenantId < fromTenant) continue
    const afterKey = tenantId === fromTenant ? query.afterKey : ''
    const room = query.limit - rows.length
    if (room === 0 || tenants === PAGE_TENANTS_MAX)
      return { ...head, rows, next: nextOf(query, { tenantId, afterKey: '' }) }
    tenants++
    const usage = reader.read(TenantScope.ofPlatform(tenantId), query, widthOf(query.interval))
    const page = await sumUpPage({ ...query, limit: room, afterKey }, usage)
    rows.push(...page.rows.map((row) => ({ tenant: tenantId, ...rowOf(row) })))
    if (page.lastKey !== undefined) return { ...head, rows, next: nextOf(query, { tenantId, afterKey: page.lastKey }) }
  }
  return { ...head, rows }
}

/** A page goes on at a tenant, behind one of its rows or with its first. */
const nextOf = (query: UsageQuery, { tenantId, afterKey }: { tenantId: TenantId; afterKey: string }): string =>
  `${tenantId}.${writeCursor({ ...query, afterKey }, query)}`

interface Place {
  readonly tenantId: TenantId | undefined
  /** The cursor within the tenant's rows, which also carries the span. */
  readonly after: string | undefined
}

/** Undefined for what is no `next` of this. */
function placeOf(after: string | undefined): Place | undefined {
  if (after === undefined) return { tenantId: undefined, after: undefined }
  const [id = '', cursor = ''] = after.split('.')
  const tenantId = parseTenantId(id)
  return tenantId && { tenantId, after: cursor }
}

const invalid = (param: string, message: string) =>
  new Problem('invalid_request', `${param}: ${message}`, { param, errors: [{ path: param, message }] })
