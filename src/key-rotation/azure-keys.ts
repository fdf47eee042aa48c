import type { Arm, ArmOutcome } from '../azure/arm'
import type { SmallHttp } from '../azure/small-http'
import { UpstreamError } from '../azure/upstream-error'
import { throwProblem } from '../base/problem'
import type { KeyName } from './rotated-accounts'

/** Both keys of an account. They stay in memory: nothing that is written down may hold them. */
export type KeyPair = Readonly<Record<KeyName, string>>

export type Asked<T> =
  | { readonly kind: 'answer'; readonly answer: T }
  /** ARM is busy, or did not answer: the same may succeed later. */
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }

/** What Azure does with an account's keys. What it refuses for good is thrown as a problem. */
export interface AzureKeys {
  list(accountId: string): Promise<Asked<KeyPair>>
  /** From now on the key that was there is refused, maybe some minutes later; repeated, there is yet another one. */
  regenerate(accountId: string, name: KeyName): Promise<Asked<KeyPair>>
  /** Whether the account takes the key at the moment; undefined where it says neither yes nor no. */
  takes(accountId: string, key: string): Promise<boolean | undefined>
}

/** Microsoft.CognitiveServices/accounts: `listKeys` and `regenerateKey` answer `{ key1, key2 }`. */
const API_VERSION = '2024-10-01'
/** Of the data plane: the list of models costs nothing and takes a key like any call. */
const MODELS = '/openai/models?api-version=2024-10-21'
const UNREADABLE_AGAIN_MS = 10_000

export function createAzureKeys({ arm, http }: { arm: Pick<Arm, 'get' | 'post'>; http: SmallHttp }): AzureKeys {
  /** Asked of ARM each time: a key must not go where some record says that its account is. */
  const endpointOf = async (accountId: string) => {
    const outcome = await arm.get(accountId, API_VERSION)
    const endpoint = outcome.kind === 'ready' ? outcome.resource.properties['endpoint'] : undefined
    return typeof endpoint === 'string' ? endpoint.replace(/\/+$/, '') : undefined
  }
  return {
    list: async (accountId) => pairOf(await arm.post(`${accountId}/listKeys`, API_VERSION)),
    regenerate: async (accountId, name) =>
      pairOf(await arm.post(`${accountId}/regenerateKey`, API_VERSION, { keyName: name })),
    takes: async (accountId, key) => {
      const endpoint = await endpointOf(accountId)
      if (endpoint === undefined) return undefined
      const request = { method: 'GET', url: endpoint + MODELS, headers: { 'api-key': key } } as const
      const answer = await http.send(request).catch((error: unknown) => {
        if (error instanceof UpstreamError) return undefined
        throw error
      })
      if (answer?.status === 200) return true
      return answer?.status === 401 || answer?.status === 403 ? false : undefined
    },
  }
}

function pairOf(outcome: ArmOutcome): Asked<KeyPair> {
  if (outcome.kind === 'busy') return { kind: 'not-yet', againAfterMs: outcome.againAfterMs }
  if (outcome.kind === 'refused')
    throwProblem(
      'provisioning_refused',
      `Azure does not hand out the account’s keys: HTTP ${outcome.status} ${outcome.code}. The platform’s identity needs the role “Cognitive Services Contributor” on the account, and the account must allow keys.`,
    )
  const { key1, key2 } = outcome.kind === 'ready' ? outcome.resource.properties : {}
  if (typeof key1 !== 'string' || typeof key2 !== 'string')
    return { kind: 'not-yet', againAfterMs: UNREADABLE_AGAIN_MS }
  return { kind: 'answer', answer: { Key1: key1, Key2: key2 } }
}

/** The name of a key among the two. */
export const nameAmong = (pair: KeyPair, key: string | undefined): KeyName | undefined =>
  key === pair.Key1 ? 'Key1' : key === pair.Key2 ? 'Key2' : undefined

export const otherThan = (name: KeyName): KeyName => (name === 'Key1' ? 'Key2' : 'Key1')
