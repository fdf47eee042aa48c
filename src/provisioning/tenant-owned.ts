import type { TokenCredential } from '@azure/core-auth'
import { INFERENCE_SCOPE } from '../azure/backend-credentials'
import { TokenRefusedError } from '../azure/oauth-tokens'
import { UpstreamError } from '../azure/upstream-error'
import { assert } from '../base/assert'
import { Problem } from '../base/problem'
import type { Backend } from '../routing/backend'
import type { OwnAccount } from '../tenants/own-models-input'
import type { TenantRecord } from '../tenants/tenant-record'
import { isTunedAlias } from '../tenants/tuned-alias'
import { backendIdOf, type Generation } from './resource-names'

const INFERENCE_API_VERSION = '2024-10-21'

/** What stands in the way of a token of the tenant's directory, in words for whoever administers it. */
const ADVICE: Readonly<Record<string, string>> = {
  AADSTS700016:
    'The platform’s application is not known there: an administrator of the directory has to consent to it.',
  AADSTS65001: 'Nobody has consented to the platform’s application there: an administrator of the directory has to.',
  AADSTS90002: 'There is no such directory.',
  AADSTS7000215: 'The platform’s own secret is wrong; its operator has to mend that.',
  AADSTS7000222: 'The platform’s own secret has expired; its operator has to mend that.',
}

/** Undefined where the directory gives us a token for its accounts; 'unsure' where it could not be asked. */
export async function checkConsent(identity: TokenCredential, { directoryId, credential }: OwnAccount) {
  if (credential.kind !== 'identity' || directoryId === undefined) return undefined
  try {
    await identity.getToken(INFERENCE_SCOPE, { tenantId: directoryId })
    return undefined
  } catch (error) {
    if (error instanceof UpstreamError) return 'unsure' as const
    if (!(error instanceof TokenRefusedError)) throw error
    const advice = ADVICE[error.code] ?? 'Whoever administers the directory can say more.'
    return new Problem(
      'tenant_account_refused',
      `The directory ${directoryId} gives no token (${error.code}). ${advice}`,
    )
  }
}

/** The backends that the tenant's own account makes, one for each alias. */
export function ownedBackends(record: TenantRecord, generation: Generation): { alias: string; backend: Backend }[] {
  const { tenantId, ownAccount, region } = record
  assert(ownAccount, 'a tenant-owned record says where its account is')
  const { endpoint, deployments, credential, directoryId } = ownAccount
  // Tuned models have backends that were made with them.
  const aliases = record.aliases.filter((alias) => !isTunedAlias(alias))
  return aliases.map(({ name: alias }) => ({
    alias,
    backend: {
      id: backendIdOf(tenantId, alias, generation),
      name: `${alias} of ${tenantId}`,
      api: { kind: 'azure-openai', apiVersion: INFERENCE_API_VERSION },
      endpoint,
      deployment: deployments[alias] ?? alias,
      credential,
      region,
      capacity: 'payg',
      enabled: true,
      ownerTenantId: tenantId,
      ...(directoryId === undefined ? {} : { directoryId }),
    },
  }))
}
