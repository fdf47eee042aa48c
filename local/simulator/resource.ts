import { mergeConfig, parseConfig, type SimulatorConfig } from './config'
import { ConfigError } from './config-error'
import { changeDeployment, openDeployment, type Deployment } from './deployment'
import { Trainer } from './fine-tuning/trainer'
import { Ledger } from './ledger'
import { AccountStores } from './stored/account-store'
import { StoredFaults } from './stored/stored-faults'
import { TickerWheel } from './ticker-wheel'

/** The simulated Azure OpenAI resource: configuration, deployments, ledger, and the one timer for all delays. */
export class Resource {
  readonly ledger = new Ledger()
  readonly wheel = new TickerWheel()
  readonly stores = new AccountStores()
  /** Calls that have begun and not ended. */
  inFlight = 0
  readonly trainer: Trainer
  #config: SimulatorConfig
  #deployments: ReadonlyMap<string, Deployment> = new Map()
  #storedFaults = new StoredFaults({}, 0)
  readonly #initial: unknown
  #change: Promise<unknown> = Promise.resolve()

  private constructor(raw: unknown) {
    this.#initial = raw
    this.#config = parsed(raw)
    this.trainer = new Trainer({
      wheel: this.wheel,
      config: () => this.#config.fineTuning,
      isKept: (account, store) => this.stores.isKept(account, store),
    })
  }

  /** Opens the resource with its tokenizers loaded. Throws a ConfigError that names every field at fault. */
  static async open(raw: unknown): Promise<Resource> {
    const resource = new Resource(raw)
    await resource.reset()
    return resource
  }

  get config(): SimulatorConfig {
    return this.#config
  }

  deployment(name: string): Deployment | undefined {
    return this.#deployments.get(name)
  }

  get deployments(): Iterable<Deployment> {
    return this.#deployments.values()
  }

  /** Standing faults of what accounts keep. */
  get storedFaults(): StoredFaults {
    return this.#storedFaults
  }

  /** Merges a patch in; throws a ConfigError and changes nothing when the result would not be valid. */
  async patch(patch: unknown): Promise<SimulatorConfig> {
    return this.#inTurn(async () => {
      // Merged into what is in force, defaults included: a patch of one deployment must not drop the others.
      const raw = mergeConfig(this.#config, patch)
      const config = parsed(raw)
      const named = namedDeployments(patch)
      this.#deployments = new Map(
        await Promise.all(
          Object.entries(config.deployments).map(async ([name, deployment]) => {
            const before = this.#deployments.get(name)
            const touched = named.get(name)
            if (before !== undefined && touched === undefined) return [name, before] as const
            const after =
              before === undefined
                ? await openDeployment(name, deployment, config.seed)
                : await changeDeployment(before, deployment, {
                    seed: config.seed,
                    rearmFaults: touched?.has('faults') === true,
                  })
            return [name, after] as const
          }),
        ),
      )
      this.#config = config
      if (names(patch, 'storedFaults')) this.#storedFaults = new StoredFaults(config.storedFaults, config.seed)
      this.trainer.configured(names(partOf(patch, 'fineTuning'), 'faults'))
      return config
    })
  }

  /** Back to the first configuration, with counters, caches, armed faults, ledger and what accounts keep as new. Running calls go on. */
  async reset(): Promise<void> {
    return this.#inTurn(async () => {
      const config = parsed(this.#initial)
      const opened = Object.entries(config.deployments).map(
        async ([name, deployment]) => [name, await openDeployment(name, deployment, config.seed)] as const,
      )
      this.#deployments = new Map(await Promise.all(opened))
      this.#config = config
      this.#storedFaults = new StoredFaults(config.storedFaults, config.seed)
      this.stores.clear()
      this.trainer.clear()
      this.trainer.configured(true)
      this.ledger.clear()
    })
  }

  close(): void {
    this.wheel.close()
  }

  /** Loading a tokenizer takes time, so two changes at once would each start from the other's past. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#change.then(change)
    this.#change = done.catch(() => undefined)
    return done
  }
}

function parsed(raw: unknown): SimulatorConfig {
  const result = parseConfig(raw)
  if (result.kind === 'invalid') throw new ConfigError(result.faults)
  return result.config
}

const names = (patch: unknown, field: string): boolean => typeof patch === 'object' && patch !== null && field in patch

const partOf = (patch: unknown, field: string): unknown =>
  typeof patch === 'object' && patch !== null ? (patch as Readonly<Record<string, unknown>>)[field] : undefined

/** The deployments that a patch speaks of, each with the fields that it names. */
function namedDeployments(patch: unknown): Map<string, Set<string>> {
  const deployments = typeof patch === 'object' && patch !== null && 'deployments' in patch ? patch.deployments : {}
  return new Map(
    Object.entries(deployments ?? {}).map(([name, fields]) => [name, new Set(Object.keys(Object(fields)))] as const),
  )
}
