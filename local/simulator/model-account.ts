import type { Deployment } from './deployment'

/** One account as its callers meet it: what they can call there, and in which region. */
export interface ModelAccount {
  readonly name: string
  /** As answers name it. */
  readonly region: string
  deployment(name: string): Deployment | undefined
  readonly deployments: Iterable<Deployment>
}

/** An account that is not there, for calls that come to its address all the same. */
export const noAccount = (name: string): ModelAccount => ({
  name,
  region: '',
  deployment: () => undefined,
  deployments: [],
})
