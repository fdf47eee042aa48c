import { emptyChain, hashOf, type ChainHead } from './audit-entry'

/** What is wrong at one place of a chain, and with which entry. */
export type ChainFault =
  /** Not an entry at all; `position` counts what was handed in, from 1. */
  | { readonly kind: 'malformed'; readonly position: number }
  /** Its content is not what its hash was made of. */
  | { readonly kind: 'changed'; readonly sequence: number }
  /** It does not follow the one before it: it, or the one before, was put in the place of another. */
  | { readonly kind: 'unlinked'; readonly sequence: number }
  /** From `sequence` to `last` nothing is there. */
  | { readonly kind: 'missing'; readonly sequence: number; readonly last: number }
  /** It stands behind entries that came after it. */
  | { readonly kind: 'reordered'; readonly sequence: number }
  /** Its number was there before: one of the two was added. */
  | { readonly kind: 'inserted'; readonly sequence: number }
  /** The chain ends before its known end; `sequence` is the first of those cut off. */
  | { readonly kind: 'cut-off'; readonly sequence: number; readonly last: number }
  /** It stands behind the chain's end. */
  | { readonly kind: 'added'; readonly sequence: number }
  /** An entry has another hash than was known of it: the chain was written anew up to there. */
  | { readonly kind: 'rewritten'; readonly sequence: number }

export interface ChainVerdict {
  /** In the order in which they were found; at most `faultsMax`, and then there may be more. */
  readonly faults: readonly ChainFault[]
  readonly entries: number
  /** The end that was found: keep it, and a later check shows whether anything before it has changed since. */
  readonly head: ChainHead
}

export const faultsMax = 100

export interface ChainVerifier {
  /** The next entry as it was read, of whatever shape. */
  take(entry: unknown): void
  /** `end`: where the chain ends now; nothing may be missing before it, nor stand behind it. */
  finish(end?: ChainHead): ChainVerdict
}

/**
 * Verifies entries as they come, in memory that does not grow with the chain. `noted`: where the chain ended at some time,
 * as somebody has kept it: without it, a chain that was written anew from one entry to its end is as sound as any.
 */
export function createChainVerifier(noted?: ChainHead): ChainVerifier {
  const faults: ChainFault[] = []
  const found = (fault: ChainFault) => void (faults.length < faultsMax && faults.push(fault))
  let head = emptyChain
  let entries = 0
  /** Numbers that were passed over, for the case that they still come. */
  let gaps: Gap[] = []

  const take = (value: unknown) => {
    entries++
    const entry = readLink(value)
    if (!entry) return found({ kind: 'malformed', position: entries })
    const { sequence, previousHash, hash } = entry
    if (hashOf(entry.value) !== hash) found({ kind: 'changed', sequence })
    if (noted?.sequence === sequence && noted.hash !== hash) found({ kind: 'rewritten', sequence })

    if (sequence <= head.sequence) {
      const gap = gaps.find(({ first, last }) => first <= sequence && sequence <= last)
      found({ kind: gap ? 'reordered' : 'inserted', sequence })
      if (gap) gaps = gaps.flatMap((other) => (other === gap ? without(other, sequence) : [other]))
      return
    }
    if (sequence > head.sequence + 1 && gaps.length < faultsMax)
      gaps.push({ first: head.sequence + 1, last: sequence - 1 })
    else if (previousHash !== head.hash) found({ kind: 'unlinked', sequence })
    head = { sequence, hash }
  }

  return {
    take,
    finish: (end) => {
      for (const { first, last } of gaps) found({ kind: 'missing', sequence: first, last })
      const last = Math.max(noted?.sequence ?? 0, end?.sequence ?? 0)
      if (last > head.sequence) found({ kind: 'cut-off', sequence: head.sequence + 1, last })
      else if (end && end.sequence < head.sequence) found({ kind: 'added', sequence: end.sequence + 1 })
      else if (end && end.hash !== head.hash) found({ kind: 'rewritten', sequence: end.sequence })
      return { faults, entries, head }
    },
  }
}

/** A whole chain at once, with the same knowledge. */
export function verifyChain(
  entries: Iterable<unknown>,
  { end, noted }: { end?: ChainHead | undefined; noted?: ChainHead | undefined } = {},
): ChainVerdict {
  const verifier = createChainVerifier(noted)
  for (const entry of entries) verifier.take(entry)
  return verifier.finish(end)
}

interface Gap {
  readonly first: number
  readonly last: number
}

const without = ({ first, last }: Gap, sequence: number): Gap[] =>
  [
    { first, last: sequence - 1 },
    { first: sequence + 1, last },
  ].filter((gap) => gap.first <= gap.last)

/** What links an entry; everything else of it counts by its hash alone. */
function readLink(value: unknown) {
  if (typeof value !== 'object' || value === null) return undefined
  const { sequence, previousHash, hash } = value as Record<string, unknown>
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1) return undefined
  if (typeof previousHash !== 'string' || typeof hash !== 'string') return undefined
  return { value, sequence, previousHash, hash }
}
