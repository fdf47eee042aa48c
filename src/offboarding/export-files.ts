import type { Directories } from '../access/directories'
import { keyView } from '../access/key-record'
import type { Keys } from '../access/keys'
import { memberView } from '../access/member-input'
import type { Members } from '../access/members'
import type { AuditLog } from '../audit/audit-log'
import type { Clock } from '../base/clock'
import type { Problem } from '../base/problem'
import type { FileId } from '../base/ids'
import type { BillingRows } from '../billing/billing-rows'
import { periodAfter, type Period } from '../billing/calendar'
import { invoiceView } from '../billing/invoice-view'
import type { SealedRecords } from '../encryption/sealed-records'
import type { Files } from '../files/files'
import { showSubscription } from '../notifications/subscription-input'
import { SUBSCRIPTION_RECORDS, type Subscriptions } from '../notifications/subscriptions'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantView } from '../tenants/tenant-view'
import type { Tenants } from '../tenants/tenants'
import { everyUsageRow } from '../usage/every-usage-row'
import type { UsageReport } from '../usage/query-usage'
import type { ArchiveFile } from './zip'

export interface ExportDeps {
  readonly tenants: Pick<Tenants, 'get'>
  readonly keys: Pick<Keys, 'list'>
  readonly members: Pick<Members, 'list'>
  readonly directories: Pick<Directories, 'list'>
  readonly audit: Pick<AuditLog, 'page'>
  readonly records: Pick<SealedRecords, 'ids' | 'get'>
  readonly files: Pick<Files, 'list' | 'read'>
  readonly billing: Pick<BillingRows, 'invoices'>
  readonly subscriptions: Pick<Subscriptions, 'list'>
  readonly queryUsage: (scope: TenantScope, query: Readonly<Record<string, string>>) => Promise<UsageReport | Problem>
  readonly clock: Clock
}

const AUDIT_PAGE = 500
const DAY_MS = 86_400_000
/** Of one question about usage, which answers for a year at most. */
const USAGE_DAYS = 31
const INVOICES_PAGE = 12

/** Everything that is the tenant's, readable without the platform: JSON, and JSON lines where there is much. */
export async function* exportFiles(deps: ExportDeps, scope: TenantScope): AsyncGenerator<ArchiveFile> {
  const tenant = await deps.tenants.get(scope)
  if (!tenant) throw new Error(`${scope.tenantId} has no record any more that could be exported`)
  yield json('profile.json', tenantView(tenant))
  const keys = await deps.keys.list(scope)
  yield json('keys.json', { keys: keys.map((record) => keyView(record, deps.clock.now())) })
  const members = await deps.members.list(scope)
  yield json('members.json', { members: members.map(memberView), directories: await deps.directories.list(scope) })
  const subscriptions = await deps.subscriptions.list(scope)
  const nowMs = deps.clock.now()
  yield json('subscriptions.json', { subscriptions: subscriptions.map((one) => showSubscription(one, nowMs)) })
  yield { name: 'usage-by-day.jsonl', content: usageLines(deps, scope, tenant.createdAt) }
  yield { name: 'invoices.jsonl', content: invoiceLines(deps, scope) }
  yield { name: 'audit.jsonl', content: auditLines(deps, scope) }
  yield { name: 'records.jsonl', content: recordLines(deps, scope) }
  yield* uploadedFiles(deps, scope)
}

const json = (name: string, value: object): ArchiveFile => ({ name, content: once(JSON.stringify(value, null, 2)) })
const line = (value: object) => Buffer.from(`${JSON.stringify(value)}\n`)

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** A row for each day and alias, since the tenant came. */
async function* usageLines({ queryUsage, clock }: ExportDeps, scope: TenantScope, sinceMs: number) {
  const endMs = Math.ceil((clock.now() + 1) / DAY_MS) * DAY_MS
  for (let fromMs = Math.floor(sinceMs / DAY_MS) * DAY_MS; fromMs < endMs; fromMs += USAGE_DAYS * DAY_MS) {
    const from = new Date(fromMs).toISOString()
    const to = new Date(Math.min(endMs, fromMs + USAGE_DAYS * DAY_MS)).toISOString()
    const query = { from, to, groupBy: 'alias', interval: 'day' }
    for await (const row of everyUsageRow((page) => queryUsage(scope, page), query)) yield line(row)
  }
}

/** Those that were issued, as the tenant is shown them. */
async function* invoiceLines({ billing }: ExportDeps, scope: TenantScope): AsyncGenerator<Uint8Array> {
  for (let from: Period | undefined; ;) {
    const page = await billing.invoices(scope, from, INVOICES_PAGE)
    for (const invoice of page) yield line(invoiceView({ kind: 'issued', invoice }))
    const last = page.at(-1)
    if (!last) return
    from = periodAfter(last.inputs.period)
  }
}

/** As `audit:verify --file` reads it. */
async function* auditLines({ audit }: ExportDeps, scope: TenantScope): AsyncGenerator<Uint8Array> {
  for (let after = 0; ;) {
    const entries = await audit.page(scope, { after, limit: AUDIT_PAGE })
    for (const entry of entries) yield line(entry)
    const last = entries.at(-1)
    if (!last) return
    after = last.sequence
  }
}

async function* recordLines({ records }: ExportDeps, scope: TenantScope): AsyncGenerator<Uint8Array> {
  for await (const id of records.ids(scope, '')) {
    // A link that was never used is a secret of its own, and void from now on.
    if (id.startsWith('credential-link-')) continue
    // Shown in a file of their own, without what webhooks are signed with.
    if (id.startsWith(SUBSCRIPTION_RECORDS)) continue
    const found = await records.get<unknown>(scope, id)
    if (found) yield line({ id, value: found.value })
  }
}

const FILES_PAGE = 100

/** Each as `files/{id}/{name}`; of its name what is harmless on any disk. `records.jsonl` has all that is known of it. */
async function* uploadedFiles({ files }: ExportDeps, scope: TenantScope): AsyncGenerator<ArchiveFile> {
  for (let after: FileId | undefined; ;) {
    const page = await files.list(scope, { limit: FILES_PAGE, order: 'desc', after })
    for (const { id } of page.files) {
      const found = await files.read(scope, id)
      const name = found?.record.filename.replaceAll(/[^\p{L}\p{N}._ -]|^\.+/gu, '_')
      if (found) yield { name: `files/${id}/${name}`, content: found.content }
    }
    after = page.files.at(-1)?.id
    if (!page.hasMore || !after) return
  }
}
