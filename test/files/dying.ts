const LISTS = new Set(['ids', 'bytesIds', 'values', 'listEntities'])

// eslint-disable-next-line require-yield
async function* never(): AsyncGenerator<never> {
  throw new Error('killed')
}

/** Dies at its n-th use of storage: from then on nothing that it tries is done, as of a process that was killed. */
export class Life {
  uses = 0
  readonly #endsAt: number

  constructor(endsAt: number) {
    this.#endsAt = endsAt
  }

  /** The same object, whose every method is a use. */
  of<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (object, name) => {
        const value: unknown = Reflect.get(object, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (++this.uses >= this.#endsAt)
            return LISTS.has(String(name)) ? never() : Promise.reject(new Error('killed'))
          return Reflect.apply(value, object, args) as unknown
        }
      },
    })
  }
}
