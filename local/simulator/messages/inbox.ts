/** What has arrived by mail, as an event or by a webhook: where somebody on one machine sees what would have gone out. */
export interface Inbox {
  add(letter: Omit<Letter, 'at'>): void
  /** The newest first. */
  letters(): readonly Letter[]
  clear(): void
}

export interface Letter {
  /** ISO 8601. */
  readonly at: string
  readonly way: 'mail' | 'event' | 'webhook'
  /** Addresses, a topic, a path. */
  readonly to: string
  readonly subject: string
  readonly body: unknown
}

/** The oldest are forgotten. */
const LETTERS_MAX = 500

export function createInbox(now: () => number = Date.now): Inbox {
  let kept: Letter[] = []
  return {
    add: (letter) => {
      kept = [{ at: new Date(now()).toISOString(), ...letter }, ...kept].slice(0, LETTERS_MAX)
    },
    letters: () => kept,
    clear: () => {
      kept = []
    },
  }
}
