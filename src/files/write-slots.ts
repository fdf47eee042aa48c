import { Problem } from '../base/problem'
import { WRITES_AT_ONCE_MAX } from './file-bounds'

/** Bounds the contents that an instance writes at one time, and with them its memory. */
export interface WriteSlots {
  /** The way to give the slot back, once. */
  take(): (() => void) | Problem
}

export function createWriteSlots(slots = WRITES_AT_ONCE_MAX): WriteSlots {
  let free = slots
  return {
    take: () => {
      if (free === 0) {
        const text = 'This instance takes as many files as it can at once.'
        return new Problem('instance_overloaded', text, { retryAfterMs: BUSY_RETRY_MS })
      }
      free--
      return () => void free++
    },
  }
}

const BUSY_RETRY_MS = 1_000
