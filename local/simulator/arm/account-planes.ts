import type { DeploymentConfig } from '../config'
import { changeDeployment, openDeployment, type Deployment, type Tuned } from '../deployment'
import { Recall } from '../fine-tuning/recall'
import { isTunedName } from '../fine-tuning/trainable-models'
import type { ModelAccount } from '../model-account'
import type { Resource } from '../resource'
import { ROOT_ACCOUNT } from './arm-config'
import type { ArmStore } from './arm-store'
import { answeredModel, isProvisioned } from './deployable-models'
import { Hosting } from './hosting'
import { phaseAt, type StoredAccount, type StoredDeployment } from './stored-resource'
import { sourceAccountOf } from './tuned-source'

const key = (id: string) => id.toLowerCase()

/** The data plane of accounts that ARM knows: their deployments at work, each as its resource says. */
export class AccountPlanes {
  readonly #resource: Resource
  readonly #store: ArmStore
  readonly #now: () => number
  readonly #root: ModelAccount
  readonly hosting: Hosting
  readonly #opened = new Map<string, Deployment>()
  /** Loading a tokenizer takes time, so two changes at once could end in the wrong order. */
  #change: Promise<void> = Promise.resolve()

  constructor(resource: Resource, store: ArmStore, now: () => number = Date.now) {
    this.#resource = resource
    this.#store = store
    this.#now = now
    this.#root = this.#openRoot()
    this.hosting = new Hosting(resource.trainer.bill, resource.config.hosting.speed)
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
    if (!stored || this.hosting.isOver(id) || !serves(stored, this.#now())) return undefined
    return this.#opened.get(key(id))
  }

  /** The deployments of a model that an account has trained, in whichever account they are. */
  deploymentsOfTuned(account: string, model: string): string[] {
    const isIt = (stored: StoredDeployment) =>
      stored.model.name === model && key(sourceAccountOf(stored)) === key(account)
    return this.#store
      .list('deployment')
      .filter(isIt)
      .map(({ name }) => name)
  }

  /** Takes down what Azure takes down by itself, and closes the accounts of what is gone. */
  sweep(): void {
    for (const id of this.hosting.followed) {
      if (this.hosting.isOver(id)) this.#store.remove(id)
      if (this.#store.get('deployment', id) !== undefined) continue
      this.hosting.end(id)
      this.#opened.delete(id)
    }
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
    if (!stored) {
      this.hosting.end(id)
      return void this.#opened.delete(key(id))
    }
    const { seed, arm } = this.#resource.config
    const config = configOf(stored, arm.latency)
    const before = this.#opened.get(key(id))
    const tuned = this.#tunedOf(stored, before)
    const opened = before
      ? await changeDeployment(before, config, { seed, rearmFaults: false, tuned })
      : await openDeployment(stored.name, config, seed, tuned)
    this.#opened.set(key(id), opened)
  }

  /** What a tuned model knows, which its deployment keeps also where its account has gone. */
  #tunedOf(stored: StoredDeployment, before: Deployment | undefined): Tuned | undefined {
    const { id, model } = stored
    if (!isTunedName(model.name)) return undefined
    if (stored.phase.kind === 'deleting') this.hosting.end(id)
    else this.hosting.follow(stored)
    const known = this.#resource.stores.of({ name: sourceAccountOf(stored) }).models.get(model.name)
    const kept = before?.config.model === model.name ? before.recall : undefined
    return { recall: kept ?? (known && new Recall(known.learned)), called: () => this.hosting.called(id) }
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
