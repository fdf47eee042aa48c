import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { StorageAccount } from '../storage/connect'
import type { TenantScope } from '../storage/tenant-scope'
import { createPeriodReports, type PeriodReports } from './period-reports'
import { queryPlatformUsage, type PlatformUsageReport } from './query-platform-usage'
import { queryUsage, type UsageReport } from './query-usage'
import type { RollUp } from './run-roll-up'
import type { TenantsWithUsage } from './tenants-with-usage'
import { usageCsv } from './usage-csv'

type RawQuery = Readonly<Record<string, string>>

/** Usage as its endpoints show it, beyond a tenant's own report as JSON. */
export interface UsageDesk {
  csv(scope: TenantScope, query: RawQuery): Promise<UsageTable | Problem>
  /** Of the tenant that the query names, or of all. */
  ofPlatform(query: RawQuery): Promise<UsageReport | PlatformUsageReport | Problem>
  platformCsv(query: RawQuery): Promise<UsageTable | Problem>
  readonly reports: Pick<PeriodReports, 'get' | 'list'>
}

export interface UsageTable {
  readonly text: string
  /** For the `after` of the next page. */
  readonly next: string | undefined
}

export function createUsageDesk(deps: {
  storage: StorageAccount
  clock: Clock
  rollUp: Pick<RollUp, 'run'>
  tenantsWithUsage: TenantsWithUsage
}): UsageDesk {
  return {
    csv: async (scope, query) => tableOf(await queryUsage(deps, scope, query)),
    ofPlatform: (query) => queryPlatformUsage(deps, query),
    platformCsv: async (query) => tableOf(await queryPlatformUsage(deps, query)),
    reports: createPeriodReports(deps.storage),
  }
}

const tableOf = (report: UsageReport | PlatformUsageReport | Problem): UsageTable | Problem =>
  report instanceof Problem ? report : { text: usageCsv(report), next: report.next }
