import type { JsonObject } from '../json-value'
import type { ResponseRun } from './response-run'

interface EventParts {
  readonly type: string
  readonly fields: JsonObject
}

/** The events of one token, with those that open what it is in. */
interface Step {
  readonly events: readonly EventParts[]
  readonly tokens: number
}

/** Writes the events of one response as text, numbered in the order in which they are asked for. */
export class ResponseEvents {
  readonly #run: ResponseRun
  readonly #steps: readonly Step[]
  readonly #closing: readonly EventParts[]
  #next = 0

  constructor(run: ResponseRun) {
    this.#run = run
    const { steps, closing } = plan(run)
    this.#steps = steps
    this.#closing = closing
  }

  get steps(): number {
    return this.#steps.length
  }

  /** How the response stands, before anything is said: `response.created`, `response.queued`, `response.in_progress`. */
  standing(type: 'created' | 'queued' | 'in_progress'): string {
    return this.#write({ type: `response.${type}`, fields: { response: this.#run.object() } })
  }

  step(index: number): string[] {
    return (this.#steps[index]?.events ?? []).map((event) => this.#write(event))
  }

  tokens(index: number): number {
    return this.#steps[index]?.tokens ?? 0
  }

  /** Closes what is open and says how the response ended. */
  closing(): string[] {
    return [...this.#closing.map((event) => this.#write(event)), this.ending()]
  }

  /** How the response ended, in the middle of it or not. */
  ending(): string {
    return this.#write({ type: `response.${this.#run.status}`, fields: { response: this.#run.object() } })
  }

  #write({ type, fields }: EventParts): string {
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.#next++, ...fields })}\n\n`
  }
}

/** What is said token by token, and what closes the last item. Source: the event types of OpenAI's SDK, 7.55. */
function plan({ output, parts: { answer } }: ResponseRun): { steps: Step[]; closing: EventParts[] } {
  const steps: Step[] = []
  let pending: EventParts[] = []
  const say = (tokens: number, ...events: EventParts[]) => {
    steps.push({ events: [...pending, ...events], tokens })
    pending = []
  }
  const [choice] = answer.choices
  const firstSaid = output.findIndex(({ type }) => type !== 'reasoning')
  for (const [output_index, item] of output.entries()) {
    const item_id = item['id']
    const added = (fields: JsonObject) => event('output_item.added', { output_index, item: { ...item, ...fields } })
    const done = event('output_item.done', { output_index, item })
    if (item['type'] === 'reasoning') pending.push(added({}), done)
    else if (choice?.kind === 'text') {
      const place = { item_id, output_index, content_index: 0 }
      const text = choice.pieces.join('')
      const part = (said: string) => ({ type: 'output_text', annotations: [], logprobs: [], text: said })
      pending.push(added({ status: 'in_progress', content: [] }))
      pending.push(event('content_part.added', { ...place, part: part('') }))
      // A token that ends inside a character has no text of its own yet.
      for (const delta of choice.pieces) {
        say(1, ...(delta === '' ? [] : [event('output_text.delta', { ...place, delta, logprobs: [] })]))
      }
      pending.push(event('output_text.done', { ...place, text, logprobs: [] }))
      pending.push(event('content_part.done', { ...place, part: part(text) }), done)
    } else {
      const call = choice?.calls[output_index - firstSaid]
      pending.push(added({ status: 'in_progress', arguments: '' }))
      say(call?.nameTokens ?? 0)
      for (const delta of call?.pieces ?? []) {
        say(1, event('function_call_arguments.delta', { item_id, output_index, delta }))
      }
      const whole = { item_id, output_index, arguments: item['arguments'], name: item['name'] }
      pending.push(event('function_call_arguments.done', whole), done)
    }
  }
  return { steps, closing: pending }
}

const event = (type: string, fields: JsonObject): EventParts => ({ type: `response.${type}`, fields })
