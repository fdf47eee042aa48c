import { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import type { ConsentEntry } from './consent'
import type { Consents } from './consents'
import { rankOf } from './line-sample'
import { newestText, type Purpose, type Purposes } from './purpose'
import { TENANTS_MAX, type Contributor, type SharedModelId } from './shared-model'

export interface CollectDeps {
  readonly consents: Pick<Consents, 'current' | 'everyCandidate'>
  readonly purposes: Pick<Purposes, 'get'>
  readonly tenants: Pick<Tenants, 'get'>
}

/**
 * Who consents to the newest text of the purpose, is active, and whose data may be in its region; at most `TENANTS_MAX`, chosen by
 * chance under the build's id. Each is asked through its own scope: its ledger says what holds.
 */
export async function collectContributors(
  { consents, tenants }: CollectDeps,
  purpose: Purpose,
  id: SharedModelId,
): Promise<Contributor[]> {
  const { version } = newestText(purpose)
  const found: (Contributor & { readonly rank: number })[] = []
  for await (const tenantId of consents.everyCandidate(purpose.id)) {
    const scope = TenantScope.ofPlatform(tenantId)
    const record = await tenants.get(scope)
    if (record?.state !== 'active') continue
    if (record.residency.length > 0 && !record.residency.includes(purpose.region)) continue
    const entry = await consents.current(scope, purpose.id)
    if (entry?.kind !== 'consent' || entry.textVersion !== version) continue
    const { sequence: consent, textVersion, fileIds } = entry
    found.push({ tenantId, consent, textVersion, fileIds, rank: rankOf(id, tenantId) })
  }
  return found
    .sort((a, b) => a.rank - b.rank)
    .slice(0, TENANTS_MAX)
    .map(({ rank: _, ...contributor }) => contributor)
}

/**
 * Whether what holds now is a consent to what was taken: a later one, to another text too, counts as long as it names the same files.
 * Nothing at all is none: the ledger goes with its tenant. Pure.
 */
export const stillConsents = ({ fileIds }: Contributor, entry: ConsentEntry | undefined): boolean =>
  entry?.kind === 'consent' && fileIds.every((id) => entry.fileIds.includes(id))
