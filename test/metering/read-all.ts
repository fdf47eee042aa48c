import type { ContainerClient } from '@azure/storage-blob'
import type { Log } from '../../src/base/log'
import { parseLogLine, type LogLine } from '../../src/metering/log-line'

export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} }

/** Every line of every blob, in the blobs' order: the plainest reader there can be, to hold the real ones against. */
export async function linesOf(container: ContainerClient): Promise<{ blob: string; line: LogLine }[]> {
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
