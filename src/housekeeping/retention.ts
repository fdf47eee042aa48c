import { INVOICES_KEPT_YEARS } from '../billing/remove-old-invoices'
import { NOTICE_KEPT_MS } from '../notifications/notice'
import { METRICS_KEPT_MS } from '../reconciliation/reconcile-usage'
import { LOG_KEPT_MS } from '../usage/keep-log'
import { NOTES_KEPT_MS } from '../usage/recent-usage'
import type { PurgeId } from './purge'

/** One thing that is kept, where, for how long, who removes it then, and why it is kept so long and no longer. */
export interface Retention {
  readonly what: string
  readonly holds: StoreNames
  readonly kept: Kept
  readonly why: string
}

interface StoreNames {
  readonly tables?: readonly string[]
  readonly containers?: readonly string[]
  readonly queues?: readonly string[]
  /** What the Functions host keeps for us. */
  readonly host?: 'orchestrations' | 'poison-queues'
}

export type Kept =
  /** Until the tenant is offboarded. */
  | { readonly kind: 'with-tenant' }
  /** As long as the platform. */
  | { readonly kind: 'always' }
  /** Until whoever made it removes it. */
  | { readonly kind: 'until-removed' }
  /** For so long, and then removed: by a purge of housekeeping, or by a timer of the slice whose it is. */
  | { readonly kind: 'for'; readonly ms: number; readonly since: string; readonly by: RemovedBy }

export type RemovedBy =
  { readonly kind: 'purge'; readonly id: PurgeId } | { readonly kind: 'timer'; readonly name: string }

const DAY_MS = 86_400_000
const YEAR_DAYS = 365

/** A day longer than an answer is given again, so that no instance's clock matters. */
export const IDEMPOTENCY_KEPT_MS = 2 * DAY_MS
export const ORCHESTRATIONS_KEPT_MS = 90 * DAY_MS
export const ALERTS_KEPT_MS = 90 * DAY_MS
export const DEAD_LETTERS_KEPT_MS = 30 * DAY_MS
export const RECONCILIATION_KEPT_MS = METRICS_KEPT_MS

const purgedAfter = (ms: number, since: string, id: PurgeId): Kept => ({
  kind: 'for',
  ms,
  since,
  by: { kind: 'purge', id },
})
const removedAfter = (ms: number, since: string, name: string): Kept => ({
  kind: 'for',
  ms,
  since,
  by: { kind: 'timer', name },
})
const withTenant: Kept = { kind: 'with-tenant' }
const always: Kept = { kind: 'always' }
const untilRemoved: Kept = { kind: 'until-removed' }

/**
 * The one table of what is kept. docs/housekeeping.md shows it; a test holds the two together, and each table, container and queue
 * that the app makes stands in it.
 */
export const retention: readonly Retention[] = [
  {
    what: 'Answers to creations with an `Idempotency-Key`',
    holds: { tables: ['idempotency'] },
    kept: purgedAfter(IDEMPOTENCY_KEPT_MS, 'their request', 'idempotency'),
    why: 'They are given again for a day; some hold a key, sealed, which nobody should keep longer than that.',
  },
  {
    what: 'Input, history and status of checklists that have ended',
    holds: { host: 'orchestrations' },
    kept: purgedAfter(ORCHESTRATIONS_KEPT_MS, 'their end', 'orchestrations'),
    why: 'An operation can be looked up for a quarter; what it did stands in the audit log for good.',
  },
  {
    what: 'Messages that triggers failed on too often',
    holds: { host: 'poison-queues' },
    kept: purgedAfter(DEAD_LETTERS_KEPT_MS, 'their failure', 'dead-letters'),
    why: 'They hold ids and nothing else, for whoever looks for the cause; nothing reads them, and the host never removes them.',
  },
  {
    what: 'Alerts that are resolved',
    holds: { tables: ['alerts'] },
    kept: purgedAfter(ALERTS_KEPT_MS, 'their end', 'resolved-alerts'),
    why: 'To see whether something comes back. Open ones stay, and an alert’s notices are in the outbox of who got them.',
  },
  {
    what: 'Comparisons with the provider’s figures',
    holds: { tables: ['reconciliation'] },
    kept: purgedAfter(RECONCILIATION_KEPT_MS, 'the hour compared', 'reconciliation'),
    why: 'As long as the provider keeps its own figures: after that nothing can be checked again.',
  },
  {
    what: 'Positions and results of housekeeping',
    holds: { tables: ['housekeeping'] },
    kept: always,
    why: 'A row for each purge and secret, overwritten.',
  },
  {
    what: 'What budgets have counted',
    holds: { tables: ['budgets'] },
    kept: removedAfter(31 * DAY_MS, 'the end of their month', 'remove-old-budgets'),
    why: 'An old month says nothing of the present one; the usage log has it all.',
  },
  {
    what: 'The usage log, and how far it has been rolled up',
    holds: { tables: ['usageblobs'], containers: ['usage-log', 'usage-archive'] },
    kept: removedAfter(LOG_KEPT_MS, 'their hour', 'keep-usage-log'),
    why: 'Sums and bills can be made anew of it for a year, and the last of them disputed for a month.',
  },
  {
    what: 'Notes of what was rolled up lately, for the timers of each minute',
    // Beside how far the log has been rolled up.
    holds: {},
    kept: removedAfter(NOTES_KEPT_MS, 'their hour', 'roll-up-usage'),
    why: 'Whoever has not looked for longer reads the sums themselves.',
  },
  {
    what: 'Sums of usage, and reports of them',
    holds: { tables: ['usageminutes', 'usagedays', 'usagereports'] },
    kept: always,
    why: 'Numbers and ids. Minutes become hours after three days; whoever looks years back finds days.',
  },
  {
    what: 'Prices, plans, day sheets and invoices',
    holds: { tables: ['billing'] },
    kept: removedAfter(INVOICES_KEPT_YEARS * YEAR_DAYS * DAY_MS, 'the end of their year', 'remove-old-invoices'),
    why: 'As long as tax law asks for invoices; of plans and prices what holds stays.',
  },
  {
    what: 'Notices, deliveries and subscriptions',
    holds: { tables: ['notifications'] },
    kept: removedAfter(NOTICE_KEPT_MS, 'their publication', 'send-notifications'),
    why: 'So long a notice is told once. Subscriptions stay as long as the tenant.',
  },
  {
    what: 'Objectives, incidents and reports of the SLA',
    holds: { tables: ['sla', 'slaindex'] },
    kept: withTenant,
    why: 'A report refers to the incidents that it counts.',
  },
  {
    what: 'Normals, findings and policies of noisy neighbours',
    holds: { tables: ['neighbours'] },
    kept: withTenant,
    why: 'A normal has five weeks of hours, overwritten; findings go when they are over.',
  },
  {
    what: 'Forecasts and their settings',
    holds: { tables: ['capacity'] },
    kept: withTenant,
    why: 'Each day’s takes the place of the day’s before.',
  },
  {
    what: 'Archives of tenants that left, and who left when',
    holds: { tables: ['offboardings'], containers: ['exports'] },
    kept: always,
    why: 'The tombstone proves the deletion. Archives go with their key when the time to fetch them is over (`remove-expired-exports`).',
  },
  {
    what: 'Keys that sign deletion certificates',
    holds: { tables: ['signingkeys'] },
    kept: always,
    why: 'A certificate can be checked for as long as somebody has it.',
  },
  {
    what: 'The audit logs',
    holds: { tables: ['audit'] },
    kept: withTenant,
    why: 'A chain that lost its beginning proves nothing; the platform’s own is kept as long as the platform.',
  },
  {
    what: 'Records, snapshots and places of tenants',
    holds: { tables: ['tenants', 'tenantdirectory', 'tenantplaces'] },
    kept: withTenant,
    why: 'They are the tenant.',
  },
  {
    what: 'API keys, members and linked directories',
    holds: { tables: ['keys', 'members', 'directories'] },
    kept: withTenant,
    why: 'Of keys that ended 300 at most stay, so that the audit log’s ids mean something.',
  },
  {
    what: 'Data keys and secrets',
    holds: { tables: ['datakeys', 'secrets'] },
    kept: withTenant,
    why: 'Without them nothing of the tenant opens.',
  },
  {
    what: 'Limits’ windows and hosting meters',
    holds: { tables: ['limits', 'hosting'] },
    kept: withTenant,
    why: 'A few rows a tenant, overwritten.',
  },
  {
    what: 'Sealed content: files, datasets, models, jobs, evaluations, drift',
    holds: { tables: ['content', 'files'], containers: ['tenant-content', 'tenant-incoming', 'tenant-outgoing'] },
    kept: untilRemoved,
    why: 'It is the tenant’s. Files with an expiry, and what is in the clear on its way, go with `sweep-files`.',
  },
  {
    what: 'Batches and their turns',
    holds: { tables: ['batches', 'batchlanes'], queues: ['batches'] },
    kept: withTenant,
    why: 'A batch can be looked up as at the provider.',
  },
  {
    what: 'Stored responses',
    holds: { tables: ['responses', 'openresponses'] },
    kept: removedAfter(30 * DAY_MS, 'their answer', 'follow-up-responses'),
    why: 'As long as Azure OpenAI keeps them.',
  },
  {
    what: 'Turns of trainings, and what begins trainings and wakes models',
    holds: { tables: ['tuningturns'], queues: ['tuning', 'hosting'] },
    kept: always,
    why: 'A row for each account; messages are read within seconds.',
  },
  {
    what: 'Shared models, and who consents to what',
    holds: { tables: ['sharedmodels', 'sharedparts'], queues: ['sharedmodels'] },
    kept: untilRemoved,
    why: 'The ledger of consents must say who was asked for as long as a model lives.',
  },
  {
    what: 'Backends, stamps, settings of registration, and when accounts’ keys were rotated',
    holds: { tables: ['backends', 'stamps', 'registrations', 'accountkeys'] },
    kept: untilRemoved,
    why: 'Operators’ own.',
  },
  {
    what: 'How far replicas in the paired region are',
    holds: { tables: ['recovery'] },
    kept: withTenant,
    why: 'A row a tenant, overwritten.',
  },
]
