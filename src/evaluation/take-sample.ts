import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LINE_TURN_BYTES, TURN_BYTES } from '../datasets/dataset-bounds'
import { LineSplitter, type DatasetLine } from '../datasets/split-lines'
import { ExampleSampler, type Sample } from './sample-examples'

export interface TakenSample extends Sample {
  /** Of the whole file, as a dataset's report has it. */
  readonly datasetHash: `sha256:${string}`
}

/** The same lines of a file for every model and at any time: only so are two evaluations comparable. */
const SEED = 1

/** Reads a file once, to its end, holding the sample and one line. Rejects as reading does. */
export async function takeSample(content: AsyncIterable<Uint8Array>, size: number): Promise<TakenSample> {
  const sampler = new ExampleSampler({ seed: SEED, size })
  const lines = new LineSplitter()
  const hash = createHash('sha256')
  let turnBytes = 0
  for await (const piece of content) {
    hash.update(piece)
    for (const line of lines.push(piece)) {
      addLine(sampler, line)
      turnBytes += line.length + LINE_TURN_BYTES
      if (turnBytes < TURN_BYTES) continue
      turnBytes = 0
      await nextTurn()
    }
  }
  const last = lines.last()
  if (last) addLine(sampler, last)
  return { ...sampler.sample(), datasetHash: `sha256:${hash.digest('hex')}` }
}

/** Of a line that is too long nothing was held. */
const addLine = (sampler: ExampleSampler, { number, bytes }: DatasetLine) => sampler.add(number, bytes)
