import type { Arm } from '../azure/arm'
import { Problem } from '../base/problem'
import type { Account } from '../files/account-files'
import { COGNITIVE_API_VERSION } from '../provisioning/own-deployments'
import { ensureRole, roles } from '../provisioning/role-assignments'
import type { Stamp } from '../stamps/stamp'
import type { TenantRecord } from '../tenants/tenant-record'

/** Where something is to be: in any account of a region, or in one of them. */
export interface WantedPlace {
  readonly region?: string | undefined
  /** Its ARM id. */
  readonly accountId?: string | undefined
}

/**
 * The accounts of stamps that a tenant's model may be taken to, but for the one it comes from; pure. Where a region is really is asked
 * of ARM later: what a stamp says is an operator's word.
 */
export function accountsFor(
  record: Pick<TenantRecord, 'tenantId' | 'isolation' | 'residency'>,
  stamps: readonly Stamp[],
  { wanted, but }: { wanted: WantedPlace; but: string | undefined },
): readonly string[] | Problem {
  const { models } = record.isolation
  if (models === 'dedicated' || models === 'tenant-owned')
    return new Problem(
      'conflict',
      'This tenant’s models are in accounts of its own; stamps’ accounts take none of them.',
    )
  const { residency } = record
  if (wanted.region !== undefined && residency.length > 0 && !residency.includes(wanted.region))
    return new Problem('conflict', `The tenant is bound to other regions than ${wanted.region}.`)
  const found = stamps
    .filter(({ reservedFor }) => reservedFor === null || reservedFor === record.tenantId)
    .filter(({ region }) => residency.length === 0 || residency.includes(region))
    .filter(({ region }) => wanted.region === undefined || region === wanted.region)
    .flatMap(({ modelAccountIds }) => modelAccountIds)
    .filter((id) => wanted.accountId === undefined || isSame(id, wanted.accountId))
  const others = [...new Set(found)].filter((id) => but === undefined || !isSame(id, but))
  return others.length > 0
    ? others
    : new Problem('no_stamp', 'No stamp that takes this tenant has another account there.')
}

/** ARM knows them in any case. */
const isSame = (one: string, other: string) => one.toLowerCase() === other.toLowerCase()

export type FoundAccount =
  | { readonly kind: 'found'; readonly accountId: string; readonly region: string; readonly account: Account }
  /** ARM is not sure of any at the moment. */
  | { readonly kind: 'unsure' }
  | { readonly kind: 'none' }

const INFERENCE_API_VERSION = '2024-10-21'

/** The first of them that is ready, in a region that its tenant is bound to, with the right to call it. */
export async function findAccount(
  arm: Arm,
  accountIds: readonly string[],
  { residency, region: wanted }: { residency: readonly string[]; region: string | undefined },
): Promise<FoundAccount> {
  let isUnsure = false
  for (const accountId of accountIds) {
    const found = await arm.get(accountId, COGNITIVE_API_VERSION)
    isUnsure ||= found.kind === 'busy' || found.kind === 'under-way'
    if (found.kind !== 'ready') continue
    const { endpoint } = found.resource.properties
    // ARM writes regions either way, "Sweden Central" and "swedencentral".
    const region = (found.resource.location ?? '').toLowerCase().replaceAll(' ', '')
    const isAllowed = residency.length === 0 || residency.includes(region)
    if (typeof endpoint !== 'string' || !isAllowed || (wanted !== undefined && region !== wanted)) continue
    // Operators may have given it for all accounts at once, and us no right to give any: then the probe says what is missing.
    const role = await ensureRole(arm, accountId, roles.openAiContributor)
    if (role.kind === 'not-yet') return { kind: 'unsure' }
    const api = { kind: 'azure-openai', apiVersion: INFERENCE_API_VERSION } as const
    const account: Account = { endpoint: endpoint.replace(/\/+$/, ''), api, credential: { kind: 'identity' } }
    return { kind: 'found', accountId, region, account }
  }
  return { kind: isUnsure ? 'unsure' : 'none' }
}
