import { connectStorage } from '../../src/storage/connect'
import { operatorsScope } from '../../src/notifications/outbox-rows'
import { systemClock } from '../../src/base/clock'
import { aNotice } from './notification-world'
import { outboxAt } from './outbox-at'

/** Publishes and sends until it is killed, and says each notice whose publication resolved. */
const [connectionString = '', prefix = '', keyFile = '', url = ''] = process.argv.slice(2)
const storage = connectStorage({ kind: 'connection-string', connectionString }, prefix)
const { desk, notifications } = outboxAt({ storage, keyFile, clock: systemClock })

async function publish(): Promise<void> {
  const input = { name: 'a hook', severityMin: 'notice', timeZone: 'UTC', criticalWaits: false } as const
  await desk.create(operatorsScope, desk.newId(), { ...input, channel: { kind: 'webhook', url } })
  for (let number = 0; ; number++) {
    const id = `crash/${process.pid}/${number}`
    await notifications.publish(aNotice(id))
    process.stdout.write(`${id}\n`)
  }
}
void publish()
