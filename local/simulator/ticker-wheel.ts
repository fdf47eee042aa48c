/** The clock of the wheel, in milliseconds of this process. */
export const nowMs = (): number => performance.now()

/** How late a task may run on an idle machine. Smaller costs wake-ups, larger costs accuracy. */
const TICK_MS = 4
/** 2,048 slots of 4 ms: a turn of the wheel takes 8 s; later tasks wait in their slot for their turn. */
const SLOTS = 2_048

interface Entry {
  readonly dueTick: number
  readonly run: () => void
}

/**
 * One timer for all delays of the simulator: a thousand streams at eighty tokens a second would otherwise arm eighty
 * thousand timers a second. The timer runs only while something is waiting.
 */
export class TickerWheel {
  readonly #slots: Entry[][] = Array.from({ length: SLOTS }, () => [])
  #waiting = 0
  #doneTick = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** Runs a task at a time of `nowMs`, never before it and at once on the next tick when it is past. */
  at(dueMs: number, run: () => void): void {
    if (this.#closed) return
    if (this.#timer === undefined) {
      this.#doneTick = Math.floor(nowMs() / TICK_MS)
      this.#timer = setInterval(() => this.#turn(), TICK_MS)
    }
    const dueTick = Math.max(Math.ceil(dueMs / TICK_MS), this.#doneTick + 1)
    this.#slots[dueTick % SLOTS]?.push({ dueTick, run })
    this.#waiting++
  }

  /** Forgets all tasks; for the end of the server. */
  close(): void {
    this.#closed = true
    clearInterval(this.#timer)
    for (const slot of this.#slots) slot.length = 0
  }

  #turn(): void {
    const nowTick = Math.floor(nowMs() / TICK_MS)
    // After a stall longer than one turn every slot is due once; turning further would visit them again for nothing.
    const firstTick = Math.max(this.#doneTick + 1, nowTick - SLOTS + 1)
    for (let tick = firstTick; tick <= nowTick; tick++) {
      this.#doneTick = tick
      this.#runSlot(tick % SLOTS, nowTick)
    }
    if (this.#waiting === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  #runSlot(index: number, nowTick: number): void {
    const slot = this.#slots[index]
    if (slot === undefined || slot.length === 0) return
    const later: Entry[] = []
    this.#slots[index] = later
    for (const entry of slot) {
      if (entry.dueTick > nowTick) {
        later.push(entry)
        continue
      }
      this.#waiting--
      entry.run()
    }
  }
}
