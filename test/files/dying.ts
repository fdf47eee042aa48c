import type { StorageAccount } from '../../src/storage/connect'

const LISTS = new Set(['listEntities', 'listBlobsFlat'])
const CLIENTS = new Set(['getBlobClient', 'getBlockBlobClient', 'getBlobLeaseClient'])

// eslint-disable-next-line require-yield
async function* killed(): AsyncGenerator<never> {
  throw new Error('killed')
}

/** Dies at its n-th request to storage: from then on nothing that it tries is done, as of a process that was killed. */
export class Life {
  uses = 0
  readonly #endsAt: number

  constructor(endsAt: number) {
    this.#endsAt = endsAt
  }

  storage<T extends StorageAccount>(storage: T): T {
    return {
      ...storage,
      table: (name: string) => this.#of(storage.table(name)),
      container: (name: string) => this.#of(storage.container(name)),
    }
  }

  /** The same client, whose every method is a request. */
  #of<T extends object>(client: T): T {
    return new Proxy(client, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (CLIENTS.has(String(name))) return this.#of(Reflect.apply(value, object, args) as object)
          if (++this.uses < this.#endsAt) return Reflect.apply(value, object, args) as unknown
          return LISTS.has(String(name)) ? killed() : Promise.reject(new Error('killed'))
        }
      },
    })
  }
}
