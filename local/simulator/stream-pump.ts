import { DONE, type StreamScript } from './chat-stream'
import { serverErrorEvent, throttledEvent } from './errors'
import type { Exchange } from './exchange'
import type { ChosenFault } from './faults'
import type { Pace } from './latency'
import { nowMs, type TickerWheel } from './ticker-wheel'

/** Most steps written at once; bounds what is put together before the connection is asked whether it keeps up. */
const BATCH_STEPS_MAX = 128
const BROKEN_EVENT = 'data: {"choices":[{"delta":{"content":\n\n'

/** How a stream ends and after how many steps. */
interface Ending {
  readonly steps: number
  readonly kind: 'whole' | 'silent' | 'cut' | 'error' | 'no-done' | 'throttled'
}

/**
 * Sends a stream at its pace. Tokens that are due at the same time go out in one write but as events of their own, and
 * a slow reader is waited for, so that a stream never holds more than a batch.
 */
export class StreamPump {
  readonly #exchange: Exchange
  readonly #script: StreamScript
  readonly #pace: Pace
  readonly #wheel: TickerWheel
  readonly #ending: Ending
  readonly #brokenStep: number | undefined
  readonly #firstAtMs: number
  readonly #headers: readonly string[]
  #next = 0
  #opened = false
  readonly #run = () => this.#pump()

  constructor(
    exchange: Exchange,
    stream: { script: StreamScript; pace: Pace; headers: readonly string[]; fault: ChosenFault | undefined },
    wheel: TickerWheel,
  ) {
    this.#exchange = exchange
    this.#script = stream.script
    this.#pace = stream.pace
    this.#headers = stream.headers
    this.#wheel = wheel
    this.#ending = endingOf(stream.fault, stream.script.steps)
    this.#brokenStep = brokenStepOf(stream.fault, stream.script.steps)
    this.#firstAtMs = nowMs() + stream.pace.firstTokenMs
    if (stream.fault !== undefined) {
      exchange.noteFault(stream.fault, this.#ending.kind !== 'whole' || this.#brokenStep !== undefined)
    }
  }

  start(): void {
    if (this.#pace.firstTokenMs === 0) return this.#pump()
    if (this.#script.early === true) this.#write(this.#open())
    this.#wheel.at(this.#firstAtMs, this.#run)
  }

  #pump(): void {
    if (this.#exchange.closed) return
    let text = this.#opened ? '' : this.#open()
    const due = this.#dueSteps()
    while (this.#next < due) {
      const until = Math.min(due, this.#next + BATCH_STEPS_MAX)
      let tokens = 0
      for (; this.#next < until; this.#next++) {
        text += this.#step(this.#next)
        tokens += this.#script.tokens(this.#next)
      }
      if (this.#next === this.#ending.steps && this.#ending.kind === 'whole') {
        return this.#exchange.end(text + this.#tail(), tokens, this.#script.form?.encoding)
      }
      const drained = this.#write(text, tokens)
      text = ''
      if (!drained) return this.#exchange.onceDrained(this.#run)
    }
    if (this.#next === this.#ending.steps) this.#end(text)
    else {
      if (text !== '') this.#write(text)
      this.#wheel.at(this.#firstAtMs + this.#next * this.#pace.tokenMs, this.#run)
    }
  }

  /** Headers go with the first token, as the service's do. */
  #open(): string {
    this.#opened = true
    this.#exchange.openStream(this.#headers, this.#script.form?.type)
    return this.#ending.kind === 'throttled' ? '' : this.#script.head
  }

  #dueSteps(): number {
    if (this.#pace.tokenMs === 0) return this.#ending.steps
    const passed = Math.floor((nowMs() - this.#firstAtMs) / this.#pace.tokenMs) + 1
    return Math.min(this.#ending.steps, passed)
  }

  #step(index: number): string {
    return index === this.#brokenStep ? BROKEN_EVENT : this.#script.step(index)
  }

  #tail(): string {
    return this.#script.tail + (this.#script.done ?? DONE)
  }

  #write(text: string, tokens = 0): boolean {
    return this.#exchange.write(text, tokens, this.#script.form?.encoding)
  }

  #end(text: string): void {
    const { error = () => serverErrorEvent, throttled = () => throttledEvent, form } = this.#script
    const end = (last: string) => this.#exchange.end(text + last, 0, form?.encoding)
    switch (this.#ending.kind) {
      case 'whole':
        return end(this.#tail())
      case 'no-done': {
        const early = this.#ending.steps < this.#script.steps
        return end(early ? '' : this.#script.tail)
      }
      case 'throttled':
        return end(throttled())
      case 'error':
        if (error !== null) return end(error(this.#ending.steps))
        this.#write(text)
        return this.#exchange.cut()
      case 'cut':
        this.#write(text)
        return this.#exchange.cut()
      case 'silent':
        this.#write(text)
    }
  }
}

/** The step whose event is broken: the last one when the stream is shorter than the fault asks for. */
function brokenStepOf(chosen: ChosenFault | undefined, steps: number): number | undefined {
  return chosen?.fault.kind === 'malformed-sse' ? Math.min(chosen.fault.afterTokens, steps - 1) : undefined
}

function endingOf(chosen: ChosenFault | undefined, steps: number): Ending {
  const fault = chosen?.fault
  switch (fault?.kind) {
    case 'stall':
      return { kind: 'silent', steps: Math.min(steps, fault.afterTokens ?? 0) }
    case 'cut':
      return { kind: 'cut', steps: Math.min(steps, fault.afterTokens) }
    case 'mid-stream-error':
      return { kind: 'error', steps: Math.min(steps, fault.afterTokens) }
    case 'throttled-stream':
      return { kind: 'throttled', steps: 0 }
    case 'no-done':
      return { kind: 'no-done', steps: Math.min(steps, fault.afterTokens ?? steps) }
    default:
      return { kind: 'whole', steps }
  }
}
