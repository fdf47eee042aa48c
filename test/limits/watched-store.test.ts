import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { watchedStore } from '../../src/limits/watched-store'
import { emptyWindow, minuteWindow } from '../../src/limits/window-state'
import { tableWindowStore, type WindowColumns } from '../../src/limits/window-store'
import { connectStorage } from '../../src/storage/connect'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { handClock } from '../harness/hand-clock'

const scope = TenantScope.ofPlatform('ten_a')
const log = { info: () => {}, warn: () => {}, error: () => {} }

it.each(['read', 'write'] as const)(
  'a %s that storage does not answer in time holds no connection any more',
  async (what) => {
    await using storage = await silentStorage()
    const clock = handClock()
    const windows = watchedStore(tableWindowStore(storage.table), { clock, log, shape: minuteWindow })
    const asked = what === 'read' ? windows.read(scope) : windows.write(scope, emptyWindow(0), undefined)
    const refused = expect(asked).rejects.toThrow('did not answer within')
    const { ended } = await storage.asked
    await clock.advance(1_500)
    await refused
    await ended
  },
)

/** Takes requests and never answers. `asked` gives the end of the first one's connection. */
async function silentStorage() {
  const first = Promise.withResolvers<{ ended: Promise<void> }>()
  const server = createServer((_, response) => first.resolve({ ended: once(response, 'close').then(() => {}) }))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/account`
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=account;AccountKey=${btoa('key')};TableEndpoint=${url};BlobEndpoint=${url};QueueEndpoint=${url};`
  const account = connectStorage({ kind: 'connection-string', connectionString }, 't')
  return {
    table: tenantTable<WindowColumns>(account.table('limits')),
    asked: first.promise,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
