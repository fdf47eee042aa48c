import type { NewKey } from '../../access/keys'
import { Problem } from '../../base/problem'
import type { KeyId } from '../../base/ids'
import type { ModelAlias } from '../../tenants/snapshot'
import type { OnboardingDeps } from '../onboarding-deps'
import type { ProbeKeys } from './probe-keys'
import { callAlias, send, type PublicAnswer } from './public-call'

/**
 * Neither tenant's credential reaches the other's things: what is answered must be, but for the name that was asked for,
 * what is answered for a thing that never existed.
 */
export async function checkStrangers(
  deps: OnboardingDeps,
  {
    probe,
    canary,
    aliases,
    canaryAlias,
  }: { probe: ProbeKeys; canary: NewKey; aliases: readonly ModelAlias[]; canaryAlias: string },
): Promise<Problem | undefined> {
  const ours = probe.caller
  const neverMade = deps.ids.keyId()
  const chat = { capabilities: ['chat'], outputTokensMax: 1, outputTokensField: 'max_tokens' } as const
  const attempts: [what: string, real: () => Promise<PublicAnswer>, unknown: () => Promise<PublicAnswer>][] = [
    [
      'the new tenant’s key on another tenant’s alias',
      () => callAlias(deps, ours.apiKey, { name: canaryAlias, ...chat }),
      () => callAlias(deps, ours.apiKey, { name: neverMade, ...chat }),
    ],
    [
      'the new tenant’s key on another tenant’s key',
      () => revoke(deps, ours, canary.record.keyId),
      () => revoke(deps, ours, neverMade),
    ],
    [
      'another tenant’s key on the new tenant’s key',
      () => revoke(deps, canary, ours.record.keyId),
      () => revoke(deps, canary, neverMade),
    ],
    ...aliases.map((alias): (typeof attempts)[number] => [
      `another tenant’s key on the alias '${alias.name}'`,
      () => callAlias(deps, canary.apiKey, alias),
      () => callAlias(deps, canary.apiKey, { ...alias, name: neverMade }),
    ]),
  ]
  for (const [what, real, unknown] of attempts) {
    const [answer, expected] = await Promise.all([real(), unknown()])
    if (answer.status !== expected.status || answer.code !== expected.code || answer.status !== 404)
      return new Problem(
        'validation_failed',
        `Isolation does not hold: ${what} was answered with HTTP ${answer.status}.`,
      )
  }
  return undefined
}

const revoke = (deps: OnboardingDeps, by: NewKey, keyId: KeyId) =>
  send(deps, by.apiKey, { method: 'DELETE', path: `/api/tenant/keys/${keyId}` })
