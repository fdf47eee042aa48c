import type { ContainerClient } from '@azure/storage-blob'
import type { Log } from '../../src/base/log'
import { parseLogLine, type CallLine, type LogLine } from '../../src/metering/log-line'
import type { CallTally } from '../../src/metering/usage-record'

export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} }

/** Every line of a call, in the blobs' order. */
export async function linesOf(container: ContainerClient): Promise<{ blob: string; line: CallLine }[]> {
  const all = await everyLine(container)
  return all.flatMap(({ blob, line }) => (line.kind === 'tally' ? [] : [{ blob, line }]))
}

export async function talliesOf(container: ContainerClient): Promise<CallTally[]> {
  return (await everyLine(container)).flatMap(({ line }) => (line.kind === 'tally' ? [line.tally] : []))
}

/** The plainest reader there can be, to hold the real ones against. */
async function everyLine(container: ContainerClient): Promise<{ blob: string; line: LogLine }[]> {
  const lines: { blob: string; line: LogLine }[] = []
  for await (const { name } of container.listBlobsFlat()) {
    const text = (await container.getBlobClient(name).downloadToBuffer()).toString()
    for (const part of text.split('\n').filter((part) => part !== '')) {
      const line = parseLogLine(part)
      if (!line) throw new Error(`a damaged line in ${name}: ${part}`)
      lines.push({ blob: name, line })
    }
  }
  return lines
}
