import fc from 'fast-check'
import { Problem } from '../../src/base/problem'
import type { MadeResponse } from '../../src/inference/made-response'
import { ResponseEvents } from '../../src/inference/response-events'

const UPSTREAM = 'resp_67cb32528d6881909eb2859a55e18a85'
const EARLIER = 'resp_00cb32528d6881909eb2859a55e18a00'
const OURS = 'resp_01hzzzzzzzzzzzzzzzzzzzzzzz'
const OURS_EARLIER = 'resp_01haaaaaaaaaaaaaaaaaaaaaaa'
const usage = { input_tokens: 9, input_tokens_details: { cached_tokens: 4 }, output_tokens: 3, total_tokens: 12 }

let number = 0
const event = (type: string, fields: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number++, ...fields })}\n\n`
const response = (status: string, more: object = {}) => ({
  response: {
    id: UPSTREAM,
    object: 'response',
    created_at: 5,
    status,
    model: 'm',
    previous_response_id: EARLIER,
    output: [],
    usage: null,
    ...more,
  },
})
const delta = (text: string) => event('response.output_text.delta', { item_id: 'msg_1', output_index: 0, delta: text })

function stream(): string {
  number = 0
  // A tool's schema that looks like an end, and a text that quotes an id and an end.
  const tools = [{ type: 'function', name: 'f', parameters: { type: 'response.completed' } }]
  return (
    event('response.created', response('in_progress', { tools })) +
    event('response.in_progress', response('in_progress')) +
    delta('Hel') +
    delta(`lo "${UPSTREAM}" {"type":"response.completed"}`) +
    event('response.completed', response('completed', { output: [{ type: 'message', id: 'msg_1' }], usage }))
  )
}

interface Passed {
  readonly text: string
  readonly events: ResponseEvents
  readonly begun: readonly MadeResponse[]
  readonly ended: readonly MadeResponse[]
}

function pass(text: string, cuts: readonly number[] = []): Passed {
  const [begun, ended]: MadeResponse[][] = [[], []]
  const events = new ResponseEvents({
    renames: [{ upstreamId: EARLIER, ourId: OURS_EARLIER }],
    ourId: OURS,
    onBegun: (made) => void begun?.push(made),
    onEnded: (made) => void ended?.push(made),
  })
  const bytes = Buffer.from(text)
  const edges = [0, ...[...cuts].map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length]
  const pieces = edges.slice(1).map((end, i) => events.take(bytes.subarray(edges[i], end)))
  const shown = Buffer.concat([...pieces, events.finish()]).toString()
  return { text: shown, events, begun: begun ?? [], ended: ended ?? [] }
}

const expected = stream()
  .replaceAll(`"${EARLIER}"`, `"${OURS_EARLIER}"`)
  .replaceAll(`"id":"${UPSTREAM}"`, `"id":"${OURS}"`)

describe('events of a response', () => {
  it('show our ids and are otherwise the same bytes, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2_000), { maxLength: 12 }), (cuts) => {
        const { text, begun, ended, events } = pass(stream(), cuts)
        expect(text).toBe(expected)
        expect(begun).toMatchObject([{ upstreamId: UPSTREAM, status: 'in_progress' }])
        expect(ended).toMatchObject([{ status: 'completed', itemIds: ['msg_1'] }])
        expect(events.usage).toMatchObject({ promptTokens: 9, cachedTokens: 4, outputTokens: 3 })
        expect(events).toMatchObject({ done: true, failed: false })
      }),
    )
  })

  it('that tell a failure are over, and failed', () => {
    number = 0
    const text = event('response.created', response('in_progress')) + event('response.failed', response('failed'))
    expect(pass(text).events).toMatchObject({ done: true, failed: true })
  })

  it('that stop are not over, and what came is counted', async () => {
    const events = pass(stream().slice(0, stream().indexOf('event: response.completed'))).events
    expect(events).toMatchObject({ done: false, finished: false })
    expect(await events.tally.tokens()).toBeGreaterThan(10)
  })

  it('go on in their numbers when they have to be told as broken', () => {
    const { events } = pass(stream().slice(0, stream().indexOf('event: response.completed')))
    const broken = events.brokenBy(new Problem('upstream_failed', 'It broke.')).toString()
    expect(broken).toMatch(/^event: response\.failed\ndata: /)
    expect(JSON.parse(broken.slice(broken.indexOf('{')))).toMatchObject({
      type: 'response.failed',
      sequence_number: 4,
      response: { id: OURS, status: 'failed', created_at: 5, error: { code: 'server_error', message: 'It broke.' } },
    })
  })

  it('that are none pass no further', () => {
    const { events, text } = pass(`${delta('a')}data: {"type":"response\n\n${delta('b')}`)
    expect(events.malformed).toBe(true)
    expect(text).not.toContain('"b"')
  })
})
