import type { StreamScript } from '../chat-stream'
import { fullMessage, serverErrorMessage } from '../errors'
import { ResponseEvents } from './response-events'
import type { ResponseRun } from './response-run'

export const serverFailure = { code: 'server_error', message: serverErrorMessage }
export const throttleFailure = { code: 'rate_limit_exceeded', message: fullMessage }

/**
 * The stream of a response that lives as long as its call. The response ends before its last event is written: who reads
 * the event may ask for the response at once. There is no `[DONE]`.
 */
export function responseScript(run: ResponseRun): StreamScript {
  const events = new ResponseEvents(run)
  return {
    early: true,
    get head() {
      return events.standing('created') + events.standing('in_progress')
    },
    steps: events.steps,
    step: (index) => events.step(index).join(''),
    tokens: (index) => events.tokens(index),
    get tail() {
      run.finish()
      return events.closing().join('')
    },
    done: '',
    error: () => {
      run.fail(serverFailure)
      return events.ending()
    },
    throttled: () => {
      run.fail(throttleFailure)
      return events.ending()
    },
  }
}
