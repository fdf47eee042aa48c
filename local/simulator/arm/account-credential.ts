import type { IncomingHttpHeaders } from 'node:http'
import { readCredential, type CheckedCredential } from '../credential'
import type { Entra } from '../entra/entra'
import {
  accessDenied,
  badToken,
  keysDisabled,
  lacksDataAction,
  otherDirectory,
  publicAccessDisabled,
  type Dialect,
} from '../errors'
import { modelOperations } from '../model-operations'
import type { Route } from '../route'
import type { SimulatorConfig } from '../config'
import type { ArmStore } from './arm-store'
import { rolesOn } from './authority'
import type { StoredAccount } from './stored-resource'
import { directoryOf } from './subscriptions'

export interface AccountCredentialDeps {
  readonly entra: Entra
  readonly store: ArmStore
  readonly config: SimulatorConfig
  /** That it takes. */
  readonly keys: readonly string[]
}

/** Takes what an account of its own takes: its keys, unless they are disabled, and tokens whose bearer has a role on it. */
export function checkAccountCredential(
  deps: AccountCredentialDeps,
  account: StoredAccount,
  { headers, route, dialect }: { headers: IncomingHttpHeaders; route: Route; dialect: Dialect },
): CheckedCredential {
  const credential = readCredential(headers)
  const { credentialKind } = credential
  if (account.publicNetworkAccess === 'Disabled')
    return { kind: 'refused', credentialKind, refusal: publicAccessDisabled }
  switch (credential.kind) {
    case 'none':
      return { kind: 'refused', credentialKind, refusal: accessDenied(dialect) }
    case 'key':
      if (account.disableLocalAuth) return { kind: 'refused', credentialKind, refusal: keysDisabled }
      if (deps.keys.includes(credential.key)) return { kind: 'accepted', credentialKind }
      return { kind: 'refused', credentialKind, refusal: accessDenied(dialect) }
    case 'token': {
      const refusal = refusalOfToken(deps, account, { token: credential.token, route })
      return refusal ? { kind: 'refused', credentialKind, refusal } : { kind: 'accepted', credentialKind }
    }
  }
}

function refusalOfToken(
  { entra, store, config }: AccountCredentialDeps,
  account: StoredAccount,
  { token, route }: { token: string; route: Route },
) {
  const read = entra.readToken(token)
  if (read.kind !== 'valid') return badToken
  const { aud, tid, oid: principalId } = read.claims
  if (!config.authentication.audiences.includes(aud.replace(/\/+$/, ''))) return badToken
  if (tid !== directoryOf(config.arm, account.subscription)) return otherDirectory
  const { roleDelayMs: delayMs } = config.arm
  const roles = rolesOn(store, account.id, { principalId, now: Date.now(), delayMs })
  const trains = config.fineTuning.role === 'contributor' && isTraining(route)
  const may = roles.some(({ inference, training }) => (trains ? training : inference))
  return may ? undefined : lacksDataAction(principalId, dataActionOf(route))
}

/** What takes more than the right to use models: jobs, and what happens to their models. */
const isTraining = (route: Route): boolean =>
  route.kind === 'stored' && (route.collection === 'fine_tuning/jobs' || route.collection === 'models')

/** The right that a call takes, and the call, as Azure's refusal names them. */
function dataActionOf(route: Route): { action: string; operation: string } {
  const openai = 'Microsoft.CognitiveServices/accounts/OpenAI'
  const path = '/openai/deployments/{deployment-id}'
  if (route.kind === 'stored') {
    const verb = { GET: 'read', DELETE: 'delete' }[route.method] ?? 'write'
    const rights = route.collection === 'fine_tuning/jobs' ? 'fine-tunes' : route.collection
    return { action: `${openai}/${rights}/${verb}`, operation: `${route.method} /openai/${route.collection}` }
  }
  if (route.kind !== 'inference') return { action: `${openai}/models/read`, operation: 'GET /openai/models' }
  const { action, path: tail } = modelOperations[route.operation]
  return { action: `${openai}/${action}`, operation: `POST ${path}/${tail}` }
}
