import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ContainerClient } from '@azure/storage-blob'
import { parseLogLine, type LogLine } from '../metering/log-line'

/**
 * Reads the usage log of all tenants: the one cross-tenant reader of its lines (I4). It hands lines to the roll-up, which
 * writes each tenant's rows into the tenant's own partition; nothing else may import it.
 */
export interface PlacedLine {
  readonly line: LogLine
  /** Bytes of the blob up to and including this line. */
  readonly position: number
}

/** Four times what a line can have; whatever is longer is no line. */
const LINE_BYTES_MAX = 24 * 1024
const DOWNLOAD_RETRIES_MAX = 3
/** Read and taken in, so many lines are a millisecond or two. */
const BATCH_LINES_MAX = 128
const NEWLINE = 10
const NOTHING = Buffer.alloc(0)

/**
 * The whole lines between two positions of a blob, in batches as they arrive; memory is bounded by a batch. The last line
 * is left out where it has no end yet. Damaged lines are passed over and reported to `onDamaged`. Between batches whatever else waits
 * for this thread has its turn: calls do, and without it a minute of a busy instance's log would hold them up for most of a second.
 */
export async function* readLog(
  container: ContainerClient,
  piece: { name: string; from: number; to: number },
  onDamaged: (position: number) => void,
): AsyncGenerator<PlacedLine[]> {
  const { name, from, to } = piece
  const { readableStreamBody } = await container
    .getBlobClient(name)
    .download(from, to - from, { maxRetryRequests: DOWNLOAD_RETRIES_MAX })
  if (!readableStreamBody) throw new Error(`the download of ${name} has no body`)
  yield* placedLines(readableStreamBody, from, onDamaged)
}

/** The whole lines of a stream that begins at `from`. */
export async function* placedLines(
  stream: AsyncIterable<string | Buffer>,
  from: number,
  onDamaged: (position: number) => void,
): AsyncGenerator<PlacedLine[]> {
  /** The beginning of a line whose end has not come. */
  let rest: Buffer = NOTHING
  let position = from
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    let lines: PlacedLine[] = []
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      position += end + 1 - start
      // One line of a chunk begins in the chunk before; the others are read where they lie.
      const line = rest.length > 0 ? lineOf(Buffer.concat([rest, bytes.subarray(0, end)])) : lineOf(bytes, start, end)
      rest = NOTHING
      if (line) lines.push({ line, position })
      else onDamaged(position)
      start = end + 1
      if (lines.length < BATCH_LINES_MAX) continue
      yield lines
      lines = []
      await nextTurn()
    }
    position += bytes.length - start
    // What is longer than a line is none, and its end is enough to find where the next one begins. A copy, or it would hold the chunk.
    rest = Buffer.concat([rest, bytes.subarray(start)]).subarray(0, LINE_BYTES_MAX + 1)
    yield lines
    await nextTurn()
  }
}

const lineOf = (bytes: Buffer, start = 0, end = bytes.length): LogLine | undefined =>
  end - start > LINE_BYTES_MAX ? undefined : parseLogLine(bytes.toString('utf8', start, end))
