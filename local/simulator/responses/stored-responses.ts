import { invalidRequest } from '../errors'
import { InvalidRequest, refuse } from '../request-fields'
import { readPage } from '../stored/page'
import { sendObject, type ServeStored, type StoredCall } from '../stored/stored-call'
import { followLog } from './follow-log'
import type { ResponseRun } from './response-run'

const INPUT_ITEMS = { limitDefault: 20, limitMax: 100 }

/** The response, or, with `stream=true`, its events from `starting_after` on. */
export const retrieveResponse: ServeStored = (call) => {
  const run = found(call)
  const { query } = call.route
  if (query.get('stream') !== 'true') return sendObject(call, run.object())
  if (run.log === undefined) {
    const text =
      'This response cannot be streamed because it was not created with both background=true and stream=true.'
    return refuse(text, 'stream', 'invalid_value')
  }
  call.exchange.record.stream = true
  const from = readStartingAfter(query.get('starting_after'))
  followLog(call.exchange, run.log, { from, headers: [], fault: undefined })
}

/** Work in the background is called off with it. */
export const deleteResponse: ServeStored = (call) => {
  const run = found(call)
  run.cancel()
  call.store.responses.delete(run.id)
  sendObject(call, { id: run.id, object: 'response.deleted', deleted: true })
}

export const cancelResponse: ServeStored = (call) => {
  const run = found(call)
  if (!run.parts.background) {
    return refuse('Cannot cancel a synchronous response.', 'response_id', 'invalid_value')
  }
  run.cancel()
  sendObject(call, run.object())
}

/** Everything that the model read, from the first response of a chain on. */
export const listInputItems: ServeStored = (call) => {
  const items = found(call).parts.items.map((item) => ({ ...item, id: String(item['id']) }))
  sendObject(call, readPage(call.route.query, items, INPUT_ITEMS))
}

function found({ store, route, exchange }: StoredCall): ResponseRun {
  const run = store.responses.get(route.id ?? '')
  if (run === undefined) {
    const message = `Response with id '${route.id}' not found.`
    throw new InvalidRequest(invalidRequest(message, { status: 404, param: 'response_id', code: 'response_not_found' }))
  }
  exchange.record.answerId = run.id
  return run
}

function readStartingAfter(text: string | null): number {
  if (text === null) return 0
  const number = Number(text)
  if (Number.isInteger(number) && number >= -1) return number + 1
  return refuse("Invalid 'starting_after': expected a whole number.", 'starting_after', 'invalid_type')
}
