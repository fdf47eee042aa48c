import { randomUUID } from 'node:crypto'
import type { ArmFailure } from './arm-answer'
import {
  phaseAt,
  type DeletedAccount,
  type StoredAccount,
  type StoredDeployment,
  type StoredResource,
} from './stored-resource'

/** A slow change, as its own address tells of it. */
export interface Operation {
  readonly id: string
  readonly startedAt: number
  readonly until: number
  readonly failure: ArmFailure | undefined
}

/** Everything that outlives a restart. */
export interface ArmSnapshot {
  readonly resources: readonly StoredResource[]
  readonly deleted: readonly DeletedAccount[]
  readonly operations: readonly Operation[]
}

/** The oldest are forgotten; whoever polls polls a young one. */
const OPERATIONS_MAX = 1_000
const key = (id: string) => id.toLowerCase()

/** What there is in the simulated subscriptions. Ids are met in any case. Times are Unix milliseconds. */
export class ArmStore {
  readonly #resources = new Map<string, StoredResource>()
  readonly #deleted = new Map<string, DeletedAccount>()
  readonly #operations = new Map<string, Operation>()
  readonly #changed: () => void
  readonly #accountEnded: (name: string) => void

  /** `accountEnded` is told when the last of an account is gone from its address. */
  constructor(changed: () => void = () => {}, accountEnded: (name: string) => void = () => {}) {
    this.#changed = changed
    this.#accountEnded = accountEnded
  }

  get<Kind extends StoredResource['kind']>(kind: Kind, id: string): (StoredResource & { kind: Kind }) | undefined {
    const found = this.#resources.get(key(id))
    return found && isKind(found, kind) ? found : undefined
  }

  list<Kind extends StoredResource['kind']>(kind: Kind): (StoredResource & { kind: Kind })[] {
    return [...this.#resources.values()].filter((resource) => isKind(resource, kind))
  }

  put(resource: StoredResource): void {
    this.#resources.set(key(resource.id), resource)
    this.#changed()
  }

  remove(id: string): void {
    if (this.#resources.delete(key(id))) this.#changed()
  }

  deploymentsOf(accountId: string): StoredDeployment[] {
    return this.list('deployment').filter((deployment) => key(deployment.accountId) === key(accountId))
  }

  account(name: string): StoredAccount | undefined {
    return this.list('account').find((account) => key(account.name) === key(name))
  }

  get deleted(): DeletedAccount[] {
    return [...this.#deleted.values()]
  }

  deletedAccount(accountId: string): DeletedAccount | undefined {
    return this.#deleted.get(key(accountId))
  }

  keepDeleted(deleted: DeletedAccount): void {
    this.#deleted.set(key(deleted.account.id), deleted)
    this.#changed()
  }

  forgetDeleted(accountId: string): void {
    if (this.#deleted.delete(key(accountId))) this.#changed()
  }

  operation(id: string): Operation | undefined {
    return this.#operations.get(key(id))
  }

  begin(operation: Omit<Operation, 'id'>): Operation {
    const begun = { id: randomUUID(), ...operation }
    this.#operations.set(begun.id, begun)
    const [oldest] = this.#operations.keys()
    if (this.#operations.size > OPERATIONS_MAX && oldest !== undefined) this.#operations.delete(oldest)
    this.#changed()
    return begun
  }

  /** Ends what was begun and is due: no timer runs for it. */
  settle(now: number): void {
    for (const resource of this.#resources.values()) {
      const { phase } = resource
      if (phase.kind === 'deleting' && phase.until <= now) this.#end(resource, now)
      else if (phaseAt(phase, now) !== phase) this.put({ ...resource, phase: phaseAt(phase, now) })
    }
    for (const { account, purgedAt } of this.deleted) {
      if (purgedAt !== undefined && purgedAt <= now) this.forgetDeleted(account.id)
    }
  }

  #end(resource: StoredResource, now: number): void {
    this.remove(resource.id)
    if (resource.kind !== 'account') return
    this.#accountEnded(resource.name)
    const deployments = this.deploymentsOf(resource.id)
    for (const { id } of deployments) this.remove(id)
    this.keepDeleted({ account: { ...resource, phase: { kind: 'ready' } }, deployments, deletedAt: now })
  }

  snapshot(): ArmSnapshot {
    return {
      resources: [...this.#resources.values()],
      deleted: this.deleted,
      operations: [...this.#operations.values()],
    }
  }

  restore({ resources, deleted, operations }: ArmSnapshot): void {
    this.clear()
    for (const resource of resources) this.#resources.set(key(resource.id), resource)
    for (const each of deleted) this.#deleted.set(key(each.account.id), each)
    for (const operation of operations) this.#operations.set(operation.id, operation)
    this.#changed()
  }

  clear(): void {
    for (const map of [this.#resources, this.#deleted, this.#operations]) map.clear()
    this.#changed()
  }
}

function isKind<Kind extends StoredResource['kind']>(
  resource: StoredResource,
  kind: Kind,
): resource is StoredResource & { kind: Kind } {
  return resource.kind === kind
}
