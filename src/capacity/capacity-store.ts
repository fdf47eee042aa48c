import type { BackendId, TenantId } from '../base/ids'
import { parseBackendId, parseTenantId } from '../base/ids'
import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { PartitionTable } from '../storage/partition-table'
import { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { DeploymentSetting } from './deployment-limits'
import type { ObservedDays } from './observed-days'
import type { ObservedHours } from './observed-hours'
import type { CapacitySubject, Outlook } from './outlook'
import type { ProvisionedTerms } from './provisioned/terms'
import type { CapacityRun } from './run'

/**
 * What the forecasts keep, in one table: a tenant's in its own partition, deployments', runs' and operators' settings in the
 * platform's. A cross-tenant reader (I4) in one thing: the ranking names subjects, tenants among them, in the order of their limits.
 */
export interface CapacityStore {
  days(subject: CapacitySubject): Promise<ObservedDays | undefined>
  putDays(subject: CapacitySubject, days: ObservedDays): Promise<void>
  outlook(subject: CapacitySubject): Promise<Outlook | undefined>
  putOutlook(subject: CapacitySubject, outlook: Outlook): Promise<void>
  hours(backendId: BackendId): Promise<ObservedHours | undefined>
  putHours(backendId: BackendId, hours: ObservedHours): Promise<void>
  /** Of deployments alone: a tenant's go with its partition. */
  removeDeployment(backendId: BackendId): Promise<void>
  /** Of which days are kept, read page by page as they are consumed. */
  deployments(): AsyncIterable<BackendId>
  setting(backendId: BackendId): Promise<Versioned<DeploymentSetting> | undefined>
  putSetting(
    backendId: BackendId,
    setting: DeploymentSetting,
    expects: Expects,
  ): Promise<Versioned<DeploymentSetting> | Problem>
  terms(): Promise<Versioned<ProvisionedTerms> | undefined>
  putTerms(terms: ProvisionedTerms, expects: Expects): Promise<Versioned<ProvisionedTerms> | Problem>
  /** The newest, ended or not, with the tag that a change of it wants. */
  run(): Promise<{ readonly run: CapacityRun; readonly etag: string } | undefined>
  /** In place of the one with this tag, or the first; false where somebody was faster. */
  putRun(run: CapacityRun, etag: string | undefined): Promise<boolean>
  rank(generation: number, place: string): Promise<void>
  /** Places of a generation behind `after`, read page by page as they are consumed. */
  ranking(generation: number, after?: string): AsyncIterable<string>
  /** Rankings of generations before this one; how many places they had. */
  removeRankingsBefore(generation: number): Promise<number>
  /** Places of a tenant in rankings, whatever generation. */
  countRanks(tenantId: TenantId): Promise<number>
  removeRanks(tenantId: TenantId): Promise<void>
}

export interface Versioned<T> {
  readonly value: T
  /** Rises with every change; in quotes the ETag. */
  readonly version: number
}

type Expects = (version: number) => boolean

export const capacityTable = 'capacity'
export const capacityStorage = { tables: [capacityTable] } as const

const DAYS = 'days'
const OUTLOOK = 'outlook'
const HOURS = 'hours'
const SETTING = 'setting'
const TERMS = 'terms'
const RUN = 'run'
const RANK = 'rank'
/** Above everything that follows in a key: ids and numbers. */
const END = '~'
const BETWEEN = '!'
/** Of Unix milliseconds, until the year 2286. */
const GENERATION_DIGITS = 13

export function createCapacityStore(tables: {
  readonly tenants: TenantTable<Columns>
  readonly platform: PartitionTable<Columns>
}): CapacityStore {
  const { platform } = tables
  const rowsOf = (subject: CapacitySubject) =>
    subject.kind === 'tenant' ? tables.tenants.partition(TenantScope.ofPlatform(subject.tenantId)) : platform
  const keyOf = (what: string, subject: CapacitySubject) =>
    subject.kind === 'tenant' ? what : `${what}${BETWEEN}${subject.backendId}`
  const read = async <T>(rows: PartitionTable<Columns>, key: string): Promise<T | undefined> => {
    const row = await rows.get(key)
    return row && fromJsonColumns<T>(row.columns)
  }
  const ofDeployment = (what: string, backendId: BackendId) => keyOf(what, { kind: 'deployment', backendId })
  const places = async function* (tenantId: TenantId) {
    for await (const { rowKey } of platform.range(RANK + BETWEEN, RANK + END, []))
      if (rowKey.endsWith(BETWEEN + tenantId)) yield rowKey
  }
  return {
    days: (subject) => read(rowsOf(subject), keyOf(DAYS, subject)),
    putDays: (subject, days) => rowsOf(subject).put(keyOf(DAYS, subject), toJsonColumns(days)),
    outlook: (subject) => read(rowsOf(subject), keyOf(OUTLOOK, subject)),
    putOutlook: (subject, outlook) => rowsOf(subject).put(keyOf(OUTLOOK, subject), toJsonColumns(outlook)),
    hours: (backendId) => read(platform, ofDeployment(HOURS, backendId)),
    putHours: (backendId, hours) => platform.put(ofDeployment(HOURS, backendId), toJsonColumns(hours)),
    removeDeployment: async (backendId) => {
      // The days last: by them it is found again where this is broken off.
      for (const what of [SETTING, OUTLOOK, HOURS, DAYS]) await platform.remove(ofDeployment(what, backendId))
    },
    deployments: async function* () {
      for await (const { rowKey } of platform.range(DAYS + BETWEEN, DAYS + END, [])) {
        const id = parseBackendId(rowKey.slice(DAYS.length + 1))
        if (id) yield id
      }
    },
    setting: (backendId) => read(platform, ofDeployment(SETTING, backendId)),
    putSetting: (backendId, value, expects) =>
      putVersioned(platform, ofDeployment(SETTING, backendId), { value, expects }),
    terms: () => read(platform, TERMS),
    putTerms: (value, expects) => putVersioned(platform, TERMS, { value, expects }),
    run: async () => {
      const row = await platform.get(RUN)
      return row && { run: fromJsonColumns<CapacityRun>(row.columns), etag: row.etag }
    },
    putRun: async (run, etag) => {
      const columns = toJsonColumns(run)
      const result = await (etag === undefined ? platform.insert(RUN, columns) : platform.replace(RUN, columns, etag))
      return result.kind === 'written'
    },
    rank: (generation, place) => platform.put(startOf(generation) + place, {}),
    ranking: async function* (generation, after) {
      const start = startOf(generation)
      const from = after === undefined ? start : `${start}${after}${BETWEEN}`
      for await (const { rowKey } of platform.range(from, start + END, [])) yield rowKey.slice(start.length)
    },
    removeRankingsBefore: (generation) => platform.removeRange(RANK + BETWEEN, startOf(generation)),
    countRanks: async (tenantId) => {
      let count = 0
      for await (const key of places(tenantId)) count += key ? 1 : 0
      return count
    },
    removeRanks: async (tenantId) => {
      for await (const key of places(tenantId)) await platform.remove(key)
    },
  }
}

const startOf = (generation: number) =>
  `${RANK}${BETWEEN}${String(generation).padStart(GENERATION_DIGITS, '0')}${BETWEEN}`

const changedMeanwhile = new Problem(
  'precondition_failed',
  'It was changed since the version in If-Match. Read it again and repeat the change on what you find.',
)

async function putVersioned<T>(
  rows: PartitionTable<Columns>,
  key: string,
  { value, expects }: { value: T; expects: Expects },
): Promise<Versioned<T> | Problem> {
  const row = await rows.get(key)
  const version = row ? fromJsonColumns<Versioned<T>>(row.columns).version : 0
  if (!expects(version)) return changedMeanwhile
  const next: Versioned<T> = { value, version: version + 1 }
  const columns = toJsonColumns(next)
  const result = await (row ? rows.replace(key, columns, row.etag) : rows.insert(key, columns))
  return result.kind === 'written' ? next : changedMeanwhile
}

/** A place in the ranking: the nearest limit first, and who it is. Sorts as text. */
export function placeOf(subject: CapacitySubject, { limits }: Pick<Outlook, 'limits'>): string {
  const [nearest] = limits
  const days = Math.min(nearest?.expectedInDays ?? DAYS_NEVER, DAYS_NEVER)
  const emptiness =
    PERMILLE_MAX - Math.min(PERMILLE_MAX, Math.round((1_000 * (nearest?.used ?? 0)) / Math.max(1, nearest?.limit ?? 1)))
  const id = subject.kind === 'tenant' ? subject.tenantId : subject.backendId
  return `${String(days).padStart(3, '0')}${BETWEEN}${String(emptiness).padStart(5, '0')}${BETWEEN}${id}`
}

const DAYS_NEVER = 999
const PERMILLE_MAX = 99_999

/** Whose place it is; undefined for what is none. */
export function subjectOf(place: string): CapacitySubject | undefined {
  const id = place.slice(place.lastIndexOf(BETWEEN) + 1)
  const [tenantId, backendId] = [parseTenantId(id), parseBackendId(id)]
  if (tenantId) return { kind: 'tenant', tenantId }
  return backendId && { kind: 'deployment', backendId }
}
