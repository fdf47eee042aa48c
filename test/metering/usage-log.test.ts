import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { InstanceId } from '../../src/base/ids'
import { systemClock, type Clock } from '../../src/base/clock'
import { createUsageLog } from '../../src/metering/create-usage-log'
import { usageLogContainer } from '../../src/metering/log-blob-name'
import type { OpenCall } from '../../src/metering/usage-log'
import { AZURE_APPENDS_PER_BLOB_MAX, usageLogBounds, type UsageLogBounds } from '../../src/metering/usage-log-bounds'
import { freshStorage } from '../harness/storage'
import { linesOf, silentLog } from './read-all'
import { intentOf, settlementOf } from './records'

const INSTANCE: InstanceId = 'ins_test'

async function freshLog({ clock = systemClock, bounds }: { clock?: Clock; bounds?: Partial<UsageLogBounds> } = {}) {
  const storage = freshStorage()
  await storage.ensure({ containers: [usageLogContainer] })
  const usageLog = createUsageLog(
    { storage, clock, instanceId: INSTANCE, log: silentLog },
    { ...usageLogBounds, ...bounds },
  )
  return { storage, usageLog, container: storage.container(usageLogContainer) }
}

function opened(call: OpenCall | undefined): OpenCall {
  if (!call) throw new Error('the call was refused')
  return call
}

describe('the usage log', () => {
  it('holds the intent once durable() has resolved, and the settlement once flushed, in one blob', async () => {
    const { usageLog, container } = await freshLog()

    const call = opened(usageLog.open(intentOf(1)))
    await call.durable()
    const early = await linesOf(container)
    call.settle(settlementOf())
    await usageLog.flush()
    const late = await linesOf(container)
    await usageLog.close()

    expect(early.map(({ line }) => line)).toEqual([{ kind: 'intent', intent: intentOf(1) }])
    expect(late.map(({ line }) => line.kind)).toEqual(['intent', 'settled'])
    expect(new Set(late.map(({ blob }) => blob)).size).toBe(1)
    expect(late[1]?.line).toEqual({
      kind: 'settled',
      intent: intentOf(1),
      settlement: settlementOf(),
      intentElsewhere: false,
    })
  })

  it('writes one line for a call that is settled before its intent was written', async () => {
    const { usageLog, container } = await freshLog()

    const first = opened(usageLog.open(intentOf('first')))
    const call = opened(usageLog.open(intentOf('quick')))
    call.settle(settlementOf())
    await call.durable()
    const lines = await linesOf(container)
    first.settle(settlementOf())
    await usageLog.close()

    expect(lines.map(({ line }) => [line.intent.callId, line.kind])).toContainEqual(['call_quick', 'settled'])
    expect(lines.filter(({ line }) => line.intent.callId === 'call_quick')).toHaveLength(1)
  })

  it('writes what arrives during an append in the next one, not in one each', async () => {
    const { usageLog, container } = await freshLog()

    const calls = Array.from({ length: 500 }, (_, i) => opened(usageLog.open(intentOf(i))))
    await Promise.all(calls.map((call) => call.durable()))
    const blobs = await Array.fromAsync(container.listBlobsFlat())
    const { blobCommittedBlockCount } = await container.getBlobClient(blobs[0]?.name ?? '').getProperties()
    for (const call of calls) call.settle(settlementOf())
    await usageLog.close()

    expect(blobCommittedBlockCount).toBeLessThanOrEqual(3)
    expect(await linesOf(container)).toHaveLength(1_000)
  })

  it('throws when a call is settled twice', async () => {
    const { usageLog } = await freshLog()
    const call = opened(usageLog.open(intentOf(1)))
    call.settle(settlementOf())

    expect(() => call.settle(settlementOf())).toThrow('settled twice')
    await usageLog.close()
  })

  it('leaves a call that is open at close in the log as an intent, and takes no calls after it', async () => {
    const { usageLog, container } = await freshLog()
    usageLog.open(intentOf(1))
    await usageLog.close()

    expect((await linesOf(container)).map(({ line }) => line.kind)).toEqual(['intent'])
    expect(usageLog.open(intentOf(2))).toBeUndefined()
  })

  it('refuses calls beyond its bound and takes them again when records have become durable', async () => {
    const { usageLog } = await freshLog({ bounds: { heldCallsMax: 2 } })
    const first = opened(usageLog.open(intentOf(1)))
    usageLog.open(intentOf(2))

    expect(usageLog.open(intentOf(3))).toBeUndefined()
    first.settle(settlementOf())
    await usageLog.flush()
    expect(usageLog.open(intentOf(4))).toBeDefined()
    await usageLog.close()
  })
})

describe('rotation', () => {
  it('starts another blob after a number of appends, and settles each call in the blob of its intent', async () => {
    const { usageLog, container } = await freshLog({ bounds: { segmentAppendsMax: 3 } })

    const calls: OpenCall[] = []
    for (let i = 0; i < 10; i++) {
      const call = opened(usageLog.open(intentOf(i)))
      await call.durable()
      calls.push(call)
    }
    for (const call of calls) call.settle(settlementOf())
    await usageLog.close()

    const lines = await linesOf(container)
    expect(lines).toHaveLength(20)
    expect(new Set(lines.map(({ blob }) => blob)).size).toBeGreaterThanOrEqual(3)
    expect(blobsPerCall(lines)).toEqual(Array.from({ length: 10 }, () => 1))
  })

  it('starts another blob after a number of bytes', async () => {
    const { usageLog, container } = await freshLog({ bounds: { segmentBytesMax: 500 } })
    for (let i = 0; i < 10; i++) await opened(usageLog.open(intentOf(i))).durable()
    await usageLog.close()

    const blobs = await Array.fromAsync(container.listBlobsFlat())
    expect(blobs.length).toBeGreaterThanOrEqual(3)
    expect(await linesOf(container)).toHaveLength(10)
  })

  it('starts another blob in another hour, in that hour’s folder', async () => {
    const clock = shiftedClock()
    const { usageLog, container } = await freshLog({ clock })

    const early = opened(usageLog.open(intentOf('early')))
    await early.durable()
    clock.shiftMs += 3_600_000
    await opened(usageLog.open(intentOf('late'))).durable()
    early.settle(settlementOf())
    await usageLog.close()

    const lines = await linesOf(container)
    const folders = [...new Set(lines.map(({ blob }) => blob.slice(0, 13)))]
    expect(folders).toEqual([folderOf(clock.now() - 3_600_000), folderOf(clock.now())])
    expect(
      lines.filter(({ line }) => line.intent.callId === 'call_early').map(({ blob }) => blob.slice(0, 13)),
    ).toEqual([folders[0], folders[0]])
  })

  it('seals a blob once it is left and its last call is settled, and not before', async () => {
    const { usageLog, container } = await freshLog({ bounds: { segmentAppendsMax: 1 } })
    const sealed = async () =>
      (await Array.fromAsync(container.listBlobsFlat())).map(({ properties }) => properties.isSealed === true)

    const first = opened(usageLog.open(intentOf(1)))
    await first.durable()
    await opened(usageLog.open(intentOf(2))).durable()
    expect(await sealed()).toEqual([false, false])

    first.settle(settlementOf())
    await until(async () => (await sealed())[0] === true)
    await usageLog.close()
    expect(await sealed()).toEqual([true, false])
  })

  it('keeps every blob below the number of appends at which Azure ends it, with every call still open', () => {
    const { segmentAppendsMax, heldCallsMax } = usageLogBounds
    expect(segmentAppendsMax + heldCallsMax).toBeLessThan(AZURE_APPENDS_PER_BLOB_MAX)
  })
})

describe('calls that are over', () => {
  it('are let go of, though each was open when the next one began', async () => {
    const { usageLog } = await freshLog()
    const over: WeakRef<object>[] = []
    let before: OpenCall | undefined
    for (let i = 0; i < 8; i++) {
      const intent = intentOf(i)
      over.push(new WeakRef(intent))
      const call = opened(usageLog.open(intent))
      await call.durable()
      before?.settle(settlementOf())
      before = call
    }

    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
    const held = over.filter((call) => call.deref()).length
    before?.settle(settlementOf())
    await usageLog.close()

    // The open one, the one before it that waits to be written, and what was just written.
    expect(held).toBeLessThanOrEqual(3)
  })
})

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

function blobsPerCall(lines: Awaited<ReturnType<typeof linesOf>>): number[] {
  const blobs = new Map<string, Set<string>>()
  for (const { blob, line } of lines) {
    blobs.set(line.intent.callId, (blobs.get(line.intent.callId) ?? new Set()).add(blob))
  }
  return [...blobs.values()].map(({ size }) => size)
}

const folderOf = (ms: number) => new Date(ms).toISOString().slice(0, 13).replace(/[-T]/g, '/')

function shiftedClock(): Clock & { shiftMs: number } {
  return {
    ...systemClock,
    shiftMs: 0,
    now() {
      return Date.now() + this.shiftMs
    },
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}
