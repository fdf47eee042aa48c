/**
 * Room for the request bodies that this instance holds at one time, all tenants together. Bodies are read before limits can
 * be asked (their length is what is asked for), so without it a few clients could fill the memory of everybody's instance.
 */
export interface BodyRoom {
  /** One call's share; grows as its body arrives. */
  open(): BodyShare
  /** What is held at present. */
  readonly heldBytes: number
}

export interface BodyShare {
  /** False when there is no room for so many more bytes, or the share was released; nothing is taken then. */
  take(bytes: number): boolean
  /** When the body has been handed to a backend for the last time. Safe to call twice. */
  release(): void
}

/** Of an instance of 2,048 MB, with as much again left for answers and for the process itself. */
export const BODY_BYTES_HELD_MAX = 384 * 1024 * 1024

export function createBodyRoom(bytesMax = BODY_BYTES_HELD_MAX): BodyRoom {
  let held = 0
  return {
    get heldBytes() {
      return held
    },
    open: () => {
      let own = 0
      let isOver = false
      return {
        take: (bytes) => {
          // A body that was given up may go on coming.
          if (isOver || held + bytes > bytesMax) return false
          held += bytes
          own += bytes
          return true
        },
        release: () => {
          held -= own
          own = 0
          isOver = true
        },
      }
    },
  }
}
