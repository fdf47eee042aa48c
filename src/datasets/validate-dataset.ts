import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { loadTokenCounter } from './count-tokens'
import { LINE_TURN_BYTES, READ_BYTES_MAX, TURN_BYTES } from './dataset-bounds'
import { DatasetReading, type ReadingOptions } from './dataset-reading'
import type { DatasetReport } from './dataset-report'
import type { ExampleSketch } from './example-sketch'
import type { FaultPages } from './fault-pages'
import { LineSplitter } from './split-lines'
import { TokenTally } from './token-tally'

export interface ValidatedDataset {
  readonly report: DatasetReport
  /** To find what this dataset shares with another (`findLeakage`). */
  readonly sketch: ExampleSketch
}

/**
 * Reads a dataset once, and finds every fault of it and what training on it takes. Holds one line and tables of a fixed
 * size, and lets others have their turn while it reads. Fails only when reading does, or the keeping of the faults that `pages` is given.
 */
export async function validateDataset(
  content: AsyncIterable<Uint8Array>,
  options: Omit<ReadingOptions, 'faultSink'>,
  pages?: FaultPages,
): Promise<ValidatedDataset> {
  const sunk = pages ? { ...options, faultSink: pages.sink } : options
  const reading = new DatasetReading(sunk, new TokenTally(await loadTokenCounter()))
  const lines = new LineSplitter()
  const hash = createHash('sha256')
  let bytes = 0
  let turnBytes = 0
  for await (const piece of content) {
    bytes += piece.length
    if (bytes > READ_BYTES_MAX) break
    hash.update(piece)
    for (const line of lines.push(piece)) {
      const work = reading.add(line)
      if (!work.next().done) await inTurns(work)
      if (pages?.isFull) await pages.flush()
      turnBytes += line.length + LINE_TURN_BYTES
      if (turnBytes < TURN_BYTES) continue
      turnBytes = 0
      await nextTurn()
    }
  }
  const last = lines.last()
  if (last) await inTurns(reading.add(last))
  const validated = reading.end(bytes, bytes > READ_BYTES_MAX ? undefined : hash.digest('hex'))
  await pages?.end()
  return validated
}

async function inTurns(work: Generator<void, void>): Promise<void> {
  while (!work.next().done) await nextTurn()
}
