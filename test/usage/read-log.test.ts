import { randomBytes } from 'node:crypto'
import { usageLogContainer } from '../../src/metering/log-blob-name'
import { encodeIntent } from '../../src/metering/log-line'
import { readLog, type PlacedLine } from '../../src/usage/read-log'
import { freshStorage } from '../harness/storage'
import { intentOf } from '../metering/records'

const NAME = '2026/01/01/10/ins_test-000001.log'

async function blobOf(text: string) {
  const storage = freshStorage()
  await storage.ensure({ containers: [usageLogContainer] })
  const container = storage.container(usageLogContainer)
  const blob = container.getAppendBlobClient(NAME)
  await blob.create()
  const bytes = Buffer.from(text)
  await blob.appendBlock(bytes, bytes.length)
  const damaged: number[] = []
  const read = async (from: number, to: number): Promise<PlacedLine[]> =>
    (await Array.fromAsync(readLog(container, { name: NAME, from, to }, (at) => damaged.push(at)))).flat()
  return { read, bytes: bytes.length, damaged }
}

const lineOf = (i: number) => encodeIntent(intentOf(i, { alias: 'größer' }))
const callOf = ({ line }: PlacedLine) => (line.kind === 'tally' ? line.tally.tallyId : line.intent.callId)
const callsOf = (lines: readonly PlacedLine[]) => lines.map(callOf)

describe('the reader of log blobs', () => {
  it('leaves a last line without its end for the next reading, which begins at the position it gave', async () => {
    const whole = lineOf(1) + lineOf(2)
    const { read, bytes, damaged } = await blobOf(whole + lineOf(3))
    const torn = Buffer.byteLength(whole) + 10

    const first = await read(0, torn)
    const second = await read(first.at(-1)?.position ?? 0, bytes)

    expect(callsOf(first)).toEqual(['call_1', 'call_2'])
    expect(callsOf(second)).toEqual(['call_3'])
    expect(second.at(-1)?.position).toBe(bytes)
    expect(damaged).toEqual([])
  })

  it('passes over damaged lines and lines that are too long, and reports them', async () => {
    const garbage = `${randomBytes(40_000).toString('hex')}\n`
    const { read, bytes, damaged } = await blobOf(lineOf(1) + '{"v":1,"k":\n' + lineOf(2) + garbage + lineOf(3))

    const lines = await read(0, bytes)

    expect(callsOf(lines)).toEqual(['call_1', 'call_2', 'call_3'])
    expect(lines.at(-1)?.position).toBe(bytes)
    expect(damaged).toEqual([
      Buffer.byteLength(`${lineOf(1)}{"v":1,"k":\n`),
      Buffer.byteLength(`${lineOf(1)}{"v":1,"k":\n${lineOf(2)}${garbage}`),
    ])
  })

  it('reads a blob of many chunks line by line, each with its own position', async () => {
    const texts = Array.from({ length: 5_000 }, (_, i) => lineOf(i))
    const { read, bytes } = await blobOf(texts.join(''))

    const lines = await read(0, bytes)

    let position = 0
    const expected = texts.map((text, i) => [`call_${i}`, (position += Buffer.byteLength(text))])
    expect(lines.map((line) => [callOf(line), line.position])).toEqual(expected)
  })

  it('does not read on beyond a line of a version that it does not know', async () => {
    const { read, bytes } = await blobOf(`${lineOf(1)}{"v":7}\n`)
    await expect(read(0, bytes)).rejects.toThrow('unknown version 7')
  })
})
