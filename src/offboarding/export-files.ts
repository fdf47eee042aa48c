import type { Keys } from '../access/keys'
import { keyView } from '../access/key-record'
import type { AuditLog } from '../audit/audit-log'
import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantView } from '../tenants/tenant-view'
import type { Tenants } from '../tenants/tenants'
import type { UsageReport } from '../usage/query-usage'
import type { ArchiveFile } from './zip'

export interface ExportDeps {
  readonly tenants: Tenants
  readonly keys: Keys
  readonly audit: AuditLog
  readonly records: SealedRecords
  readonly queryUsage: (scope: TenantScope, query: Readonly<Record<string, string>>) => Promise<UsageReport | Problem>
  readonly clock: Clock
}

const AUDIT_PAGE = 500

/** Everything that is the tenant's, readable without the platform: JSON, and JSON lines where there is much. */
export async function* exportFiles(deps: ExportDeps, scope: TenantScope): AsyncGenerator<ArchiveFile> {
  const tenant = await deps.tenants.get(scope)
  if (tenant) yield json('profile.json', tenantView(tenant))
  const keys = await deps.keys.list(scope)
  yield json('keys.json', { keys: keys.map((record) => keyView(record, deps.clock.now())) })
  yield json('usage-by-month.json', await usageOf(deps, scope, tenant?.createdAt ?? deps.clock.now()))
  yield { name: 'audit.jsonl', content: auditLines(deps, scope) }
  yield { name: 'records.jsonl', content: recordLines(deps, scope) }
}

const json = (name: string, value: object): ArchiveFile => ({ name, content: once(JSON.stringify(value, null, 2)) })

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

async function usageOf({ queryUsage, clock }: ExportDeps, scope: TenantScope, sinceMs: number): Promise<object> {
  const from = new Date(sinceMs).toISOString()
  const to = new Date(clock.now() + 60_000).toISOString()
  const report = await queryUsage(scope, { from, to, groupBy: 'alias,model', interval: 'month' })
  if (report instanceof Problem) throw new Error(`usage could not be exported: ${report.public}`)
  return report
}

/** As `audit:verify --file` reads it. */
async function* auditLines({ audit }: ExportDeps, scope: TenantScope): AsyncGenerator<Uint8Array> {
  for (let after = 0; ;) {
    const entries = await audit.page(scope, { after, limit: AUDIT_PAGE })
    for (const entry of entries) yield Buffer.from(`${JSON.stringify(entry)}\n`)
    const last = entries.at(-1)
    if (!last) return
    after = last.sequence
  }
}

async function* recordLines({ records }: ExportDeps, scope: TenantScope): AsyncGenerator<Uint8Array> {
  for await (const id of records.ids(scope, '')) {
    const found = await records.get<unknown>(scope, id)
    // A link that was never used is a secret of its own, and void from now on.
    if (found && !id.startsWith('credential-link-'))
      yield Buffer.from(`${JSON.stringify({ id, value: found.value })}\n`)
  }
}
