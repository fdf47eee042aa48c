import { hash } from 'node:crypto'
import type { Clock } from '../base/clock'
import type { FileId } from '../base/ids'
import { LineSplitter } from '../datasets/split-lines'
import type { Files } from '../files/files'
import type { TenantScope } from '../storage/tenant-scope'
import { LineSample } from './line-sample'
import { removeIdentifiers } from './remove-identifiers'
import type { LeftOutCounts } from './shared-model'
import { EXAMPLE_BYTES_MAX, readSharedExample, sharedLine, type LeftOut } from './shared-example'
import { createTerms, type Term } from './terms'
import { createTurns } from './turns'
import { SAMPLE_BYTES_MAX } from './workbench'

export interface TenantSample {
  /** Without what has a form or is a term of the tenant's; in the order of chance. */
  readonly lines: readonly string[]
  readonly leftOut: LeftOutCounts
  /** Files that are gone by now count as empty. */
  readonly files: number
}

/** Of one tenant's files together, in the order in which it named them; what is behind that is not read. */
export const READ_BYTES_MAX = 512 * 1024 * 1024

/** Reads a tenant's files once, line by line, and keeps a bounded sample of what may be shared of them. */
export async function sampleTenant(
  { files, clock }: { readonly files: Pick<Files, 'read'>; readonly clock: Clock },
  scope: TenantScope,
  { seed, fileIds, terms }: { seed: string; fileIds: readonly FileId[]; terms: readonly Term[] },
): Promise<TenantSample> {
  const index = createTerms(terms)
  const sample = new LineSample(seed, SAMPLE_BYTES_MAX)
  const counts = new Map<LeftOut, number>()
  const leaveOut = (why: LeftOut, lines = 1) => void (lines > 0 && counts.set(why, (counts.get(why) ?? 0) + lines))
  const turn = createTurns(clock)
  let read = 0
  let bytes = 0
  const take = (line: Buffer, length: number) => {
    const example = length > EXAMPLE_BYTES_MAX ? 'too_long' : readSharedExample(line)
    if (typeof example === 'string') leaveOut(example)
    else if (!sample.add(sharedLine(removeIdentifiers(example, index)))) leaveOut('repeated')
  }
  for (const fileId of fileIds) {
    const file = await files.read(scope, fileId)
    if (!file) continue
    read += 1
    const splitter = new LineSplitter()
    for await (const piece of file.content) {
      bytes += piece.length
      if (bytes > READ_BYTES_MAX) break
      for (const line of splitter.push(piece)) {
        if (line.length > 0) take(line.bytes, line.length)
        await turn()
      }
    }
    const last = splitter.last()
    if (last && bytes <= READ_BYTES_MAX) take(last.bytes, last.length)
  }
  const { lines, dropped } = sample.end()
  leaveOut('sampled_out', dropped)
  return { lines, leftOut: Object.fromEntries(counts), files: read }
}

/** Of lines with their ends, as they stand in a file. */
export function contentHashOf(lines: readonly string[]): `sha256:${string}` {
  return `sha256:${hash('sha256', lines.map((line) => `${line}\n`).join(''), 'hex')}`
}
