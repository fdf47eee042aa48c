import { compileSnapshot } from './compile-snapshot'
import type { TenantRecord } from './tenant-record'

/** A tenant as operators see it: the whole record, with the limits that result. */
export function operatorView(record: TenantRecord) {
  const { createdAt, updatedAt, ...rest } = record
  const { limits, weight } = compileSnapshot(record)
  return { ...rest, limits, weight, createdAt: isoTime(createdAt), updatedAt: isoTime(updatedAt) }
}

/** A tenant as it sees itself: which backends serve it is the platform's own affair. */
export function tenantView(record: TenantRecord) {
  const { limits, aliases } = compileSnapshot(record)
  const { tenantId, version, state, displayName, contact, tier, region, residency, settings } = record
  return {
    tenantId,
    version,
    state,
    displayName,
    contact,
    tier,
    region,
    residency,
    aliases: Object.values(aliases).map(({ groups: _, ...shown }) => shown),
    limits,
    settings,
    createdAt: isoTime(record.createdAt),
    updatedAt: isoTime(record.updatedAt),
  }
}

/** The ETag of a tenant's representations: its version. */
export const tenantEtag = ({ version }: { readonly version: number }) => `"${version}"`

const isoTime = (timeMs: number) => new Date(timeMs).toISOString()
