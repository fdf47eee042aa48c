import type { FaultList } from './fault-list'
import { kindOf } from './json-kinds'

/** Matches calls of tools with their answers in one list of messages; the last message may leave its calls unanswered. */
export class ToolTurns {
  readonly #faults: FaultList
  #ids: Set<string> | undefined
  /** Calls that wait for their answers, each with its path. */
  #open: Map<string, string> | undefined
  #answered = false

  constructor(faults: FaultList) {
    this.#faults = faults
  }

  /** The message that was last given to `other` calls a tool. */
  call(id: string, path: string): void {
    this.#ids ??= new Set()
    this.#open ??= new Map()
    if (this.#ids.has(id))
      return this.#faults.add('tool_call_id_repeated', `${path}.id`, 'A call before it has this id.')
    this.#ids.add(id)
    this.#open.set(id, path)
  }

  /** A tool's message. */
  answer(id: unknown, path: string): void {
    const at = `${path}.tool_call_id`
    if (typeof id !== 'string')
      return this.#faults.add('tool_without_call', at, `It is ${kindOf(id)}, not the id of a call.`)
    this.#answered = true
    if (!this.#open?.delete(id))
      this.#faults.add('tool_without_call', at, 'No call that waits for its answer has this id.')
  }

  /** Any other message: what is not answered by now never is. */
  other(path: string): void {
    if (this.#open && this.#open.size > 0) this.#unanswered(path)
    this.#answered = false
  }

  end(): void {
    if (this.#answered && this.#open && this.#open.size > 0) this.#unanswered('the end')
  }

  #unanswered(until: string): void {
    for (const path of this.#open?.values() ?? [])
      this.#faults.add('tool_call_unanswered', path, `It has no answer before ${until}.`)
    this.#open?.clear()
  }
}
