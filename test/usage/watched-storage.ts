import type { StorageAccount } from '../../src/storage/connect'

/** The account with every request to its tables passing `before` first; what that throws is what the request's sender gets. */
export function watchedStorage(
  storage: StorageAccount,
  before: (request: { method: string; url: string }) => Promise<void>,
): StorageAccount {
  return {
    ...storage,
    table: (name) => {
      const client = storage.table(name)
      client.pipeline.addPolicy({
        name: 'watched',
        sendRequest: async (request, next) => {
          await before({ method: request.method, url: request.url })
          return next(request)
        },
      })
      return client
    },
  }
}

/** The account as a process sees it that dies before its n-th request to a table, counted from 0; and whether it came so far. */
export function dyingStorage(storage: StorageAccount, requests: number): StorageAccount & { readonly isDead: boolean } {
  let sent = 0
  const watched = watchedStorage(storage, async () => {
    if (sent++ >= requests) throw new Error('the process is dead')
  })
  return {
    ...watched,
    get isDead() {
      return sent > requests
    },
  }
}
