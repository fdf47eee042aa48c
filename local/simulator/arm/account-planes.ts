import type { DeploymentConfig } from '../config'
import { changeDeployment, openDeployment, type Deployment } from '../deployment'
import type { ModelAccount } from '../model-account'
import type { Resource } from '../resource'
import { ROOT_ACCOUNT } from './arm-config'
import type { ArmStore } from './arm-store'
import { answeredModel, isProvisioned } from './deployable-models'
import { phaseAt, type StoredAccount, type StoredDeployment } from './stored-resource'

const key = (id: string) => id.toLowerCase()

/** The data plane of accounts that ARM knows: their deployments at work, each as its resource says. */
export class AccountPlanes {
  readonly #resource: Resource
  readonly #store: ArmStore
  readonly #now: () => number
  readonly #root: ModelAccount
  readonly #opened = new Map<string, Deployment>()
  /** Loading a tokenizer takes time, so two changes at once could end in the wrong order. */
  #change: Promise<void> = Promise.resolve()

  constructor(resource: Resource, store: ArmStore, now: () => number = Date.now) {
    this.#resource = resource
    this.#store = store
    this.#now = now
    this.#root = this.#openRoot()
  }

  /** The account at `/accounts/{name}`; undefined where there is none, or none that answers yet. */
  find(name: string): { readonly stored: StoredAccount; readonly account: ModelAccount } | undefined {
    const stored = this.#store.account(name)
    if (!stored || phaseAt(stored.phase, this.#now()).kind !== 'ready') return undefined
    return { stored, account: this.#accountOf(stored) }
  }

  /** The account at the root, whose deployments are those of the configuration and those that were made in it. */
  get root(): ModelAccount {
    return this.#root
  }

  #openRoot(): ModelAccount {
    const resource = this.#resource
    // Only what the configuration does not name is looked for elsewhere: most calls pay for one map.
    const made = () => this.find(ROOT_ACCOUNT)?.account
    return {
      name: ROOT_ACCOUNT,
      get region() {
        return resource.config.region
      },
      deployment: (name) => resource.deployment(name) ?? made()?.deployment(name),
      get deployments() {
        return made()?.deployments ?? resource.deployments
      },
    }
  }

  #accountOf({ id, name, location }: StoredAccount): ModelAccount {
    const configured = key(name) === ROOT_ACCOUNT ? this.#resource : undefined
    const made = (deploymentId: string) => this.#made(deploymentId)
    const stored = () => this.#store.deploymentsOf(id)
    return {
      name,
      region: location,
      deployment: (asked) => configured?.deployment(asked) ?? made(`${id}/deployments/${asked}`),
      get deployments() {
        return [...(configured?.deployments ?? []), ...stored().flatMap((each) => made(each.id) ?? [])]
      },
    }
  }

  #made(id: string): Deployment | undefined {
    const stored = this.#store.get('deployment', id)
    return stored && serves(stored, this.#now()) ? this.#opened.get(key(id)) : undefined
  }

  /** Follows one deployment that was made, changed or removed. */
  changed(id: string): Promise<void> {
    return this.#inTurn(() => this.#follow(id))
  }

  /** Follows all of them, and the configuration. */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      const ids = new Set([...this.#opened.keys(), ...this.#store.list('deployment').map(({ id }) => key(id))])
      await Promise.all([...ids].map((id) => this.#follow(id)))
    })
  }

  async #follow(id: string): Promise<void> {
    const stored = this.#store.get('deployment', id)
    if (!stored) return void this.#opened.delete(key(id))
    const { seed, arm } = this.#resource.config
    const config = configOf(stored, arm.latency)
    const before = this.#opened.get(key(id))
    const opened = before
      ? await changeDeployment(before, config, { seed, rearmFaults: false })
      : await openDeployment(stored.name, config, seed)
    this.#opened.set(key(id), opened)
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#change.then(change)
    this.#change = done.catch(() => undefined)
    return done
  }
}

/** A deployment that is being changed goes on as it was, or as it will be. */
function serves({ phase }: StoredDeployment, now: number): boolean {
  const at = phaseAt(phase, now)
  return at.kind === 'ready' || (at.kind === 'making' && at.serving === true)
}

/** One unit of a standard sku's capacity is 1,000 tokens per minute, one of a batch sku's is 1,000 enqueued tokens. */
const TOKENS_PER_UNIT = 1_000

function admissionOf({ name, capacity }: StoredDeployment['sku']): DeploymentConfig['admission'] {
  if (isProvisioned(name)) return { kind: 'provisioned', units: capacity }
  if (name.endsWith('Batch')) return { kind: 'batch', enqueuedTokensMax: capacity * TOKENS_PER_UNIT }
  return { kind: 'standard', tokensPerMinute: capacity * TOKENS_PER_UNIT, refusals: 'standard' }
}

function configOf({ model, sku }: StoredDeployment, latency: DeploymentConfig['latency']): DeploymentConfig {
  return {
    model: answeredModel(model),
    output: { tokensMin: 24, tokensMax: 96 },
    latency,
    admission: admissionOf(sku),
    contentFilter: 'default',
    faults: [],
  }
}
