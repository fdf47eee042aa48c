/**
 * A process that writes calls to the usage log until it is killed, and names each record on its standard output once that
 * is durable. Bundled and run by crash.test.ts.
 */
import { systemChance } from '../../src/base/chance'
import { systemClock } from '../../src/base/clock'
import { createIdMaker } from '../../src/base/ids'
import { createUsageLog } from '../../src/metering/create-usage-log'
import { usageLogBounds } from '../../src/metering/usage-log-bounds'
import { connectStorage } from '../../src/storage/connect'
import { intentOf, settlementOf } from './records'

const [connectionString = '', prefix = ''] = process.argv.slice(2)
const ids = createIdMaker({ clock: systemClock, chance: systemChance() })
const ignore = () => {}
const usageLog = createUsageLog(
  {
    storage: connectStorage({ kind: 'connection-string', connectionString }, prefix),
    clock: systemClock,
    instanceId: ids.instanceId(),
    log: { info: ignore, warn: ignore, error: ignore },
  },
  // Several blobs within the second that it lives.
  { ...usageLogBounds, segmentAppendsMax: 20 },
)

async function callForEver() {
  for (;;) {
    const callId = ids.callId()
    const call = usageLog.open(intentOf('', { callId, startedAt: Date.now() }))
    if (!call) throw new Error('refused')
    await call.durable()
    process.stdout.write(`${callId} intent\n`)
    await systemClock.sleep(Math.random() * 10)
    call.settle(settlementOf())
    await usageLog.flush()
    process.stdout.write(`${callId} settled\n`)
  }
}

// Ends with the test, should the kill fail.
setTimeout(() => process.exit(1), 120_000)
for (let i = 0; i < 8; i++) void callForEver()
