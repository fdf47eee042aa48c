import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BODY_BYTES_MAX, readBody } from '../../../local/simulator/request-body'
import { runningSimulator, user } from './running'

const simulator = runningSimulator({ authentication: { tokens: 'check' } })
const V1 = '/openai/v1/chat/completions'
async function error(answer: Response): Promise<{ status: number; body: unknown }> {
  return { status: answer.status, body: await answer.json() }
}
const token = (claims: object) =>
  `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`

describe('a credential', () => {
  const badKey = {
    error: {
      code: '401',
      message:
        'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
    },
  }

  it.each([
    ['a wrong api-key', { 'api-key': 'wrong' }],
    ['a wrong bearer key', { 'api-key': '', authorization: 'Bearer wrong' }],
  ])("gets Azure's exact 401 for %s", async (_name, headers) => {
    expect(await error(await simulator.chat('chat', 'hi', headers))).toEqual({ status: 401, body: badKey })
  })

  it('is accepted as a key, as a bearer key and as a token for the right audience that has not expired', async () => {
    const soon = Math.floor(Date.now() / 1_000) + 600
    const by = async (authorization: string) => {
      const headers = { authorization, 'content-type': 'application/json' }
      const body = JSON.stringify({ model: 'chat', ...user('hi') })
      return (await fetch(simulator.url(V1), { method: 'POST', headers, body })).status
    }

    expect(await by('Bearer simulator-key')).toBe(200)
    expect(await by(`Bearer ${token({ aud: 'https://ai.azure.com/', exp: soon })}`)).toBe(200)
    expect(await by(`Bearer ${token({ aud: 'https://elsewhere.example', exp: soon })}`)).toBe(401)
    expect(await by(`Bearer ${token({ aud: 'https://ai.azure.com', exp: soon - 1_200 })}`)).toBe(401)
  })
})

describe('an address', () => {
  const notFound = { status: 404, body: { error: { code: '404', message: 'Resource not found' } } }

  it.each([
    ['no api-version', '/openai/deployments/chat/chat/completions'],
    ['an api-version that is no version', '/openai/deployments/chat/chat/completions?api-version=newest'],
    ['a dated version on v1', `${V1}?api-version=2024-10-21`],
    ['an unknown operation', '/openai/deployments/chat/chat/conclusions?api-version=2024-10-21'],
    ['an unknown root', '/v1/chat/completions'],
    ['a broken escape', '/openai/deployments/%E0%A4%A/chat/completions?api-version=2024-10-21'],
  ])('with %s is not found', async (_name, path) => {
    expect(await error(await simulator.post(path, user('hi')))).toEqual(notFound)
  })

  it.each([
    ['on the classic path', '/openai/deployments/absent/chat/completions?api-version=2024-10-21'],
    ['on v1', V1],
  ])("of an unknown deployment gets Azure's exact 404 %s", async (_name, path) => {
    expect(await error(await simulator.post(path, { model: 'absent', ...user('hi') }))).toEqual({
      status: 404,
      body: {
        error: {
          code: 'DeploymentNotFound',
          message:
            'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.',
        },
      },
    })
  })

  it('takes the deployment of the path, whatever the body names', async () => {
    const answer = await simulator.chat('older', { model: 'chat', ...user('hi') })
    expect(await answer.json()).toMatchObject({ model: 'gpt-4-0613' })
  })

  it('finds a deployment whose name is escaped and a path with doubled slashes', async () => {
    await simulator.patch({ deployments: { 'a name': { model: 'gpt-4.1-2025-04-14' } } })
    const path = '/openai//deployments/a%20name/chat/completions?api-version=2024-10-21'
    expect((await simulator.post(path, user('hi'))).status).toBe(200)
  })

  it('of an operation that the model does not have says so', async () => {
    const chat = await error(await simulator.chat('vectors', 'hi'))
    const path = '/openai/deployments/chat/embeddings?api-version=2024-10-21'
    const embeddings = await error(await simulator.post(path, { input: 'hi' }))

    expect(chat).toMatchObject({ status: 400, body: { error: { code: 'OperationNotSupported' } } })
    expect(embeddings).toMatchObject({ status: 400, body: { error: { code: 'OperationNotSupported' } } })
  })
})

describe('a body', () => {
  const invalid = (message: string, param: string | null, code: string | null) => ({
    status: 400,
    body: { error: { message, type: 'invalid_request_error', param, code } },
  })

  it.each([
    [{}, "Missing required parameter: 'messages'.", 'messages', 'missing_required_parameter'],
    [
      { messages: 'hi' },
      "Invalid type for 'messages': expected an array of objects, but got a string instead.",
      'messages',
      'invalid_type',
    ],
    [
      { messages: [] },
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      'messages',
      'empty_array',
    ],
    [
      { messages: [{ role: 'wizard', content: 'hi' }] },
      "Invalid value: 'wizard'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
      'messages[0].role',
      'invalid_value',
    ],
    [
      { ...user('hi'), temperature: 3 },
      "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
      'temperature',
      'decimal_above_max_value',
    ],
    [
      { ...user('hi'), n: 0 },
      "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead.",
      'n',
      'integer_below_min_value',
    ],
    [
      { ...user('hi'), max_tokens: 32_769 },
      'max_tokens is too large: 32769. This model supports at most 32768 completion tokens, whereas you provided 32769.',
      'max_tokens',
      'invalid_value',
    ],
    [
      { ...user('hi'), response_format: { type: 'json_object' } },
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
      'messages',
      null,
    ],
  ])('%j is refused as OpenAI refuses it', async (body, message, param, code) => {
    expect(await error(await simulator.chat('chat', body))).toEqual(invalid(message, param, code))
  })

  it.each(['{"messages":', '[]', ''])('that is not a JSON object is refused: %j', async (text) => {
    const answer = await simulator.post('/openai/deployments/chat/chat/completions?api-version=2024-10-21', text)
    expect(await error(answer)).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error' } } })
  })

  it.each(['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'logprobs', 'top_logprobs', 'logit_bias'])(
    'with %s is refused by a reasoning model',
    async (param) => {
      const message = `Unsupported parameter: '${param}' is not supported with this model.`
      const answer = await simulator.chat('thinker', { ...user('hi'), [param]: 1 })
      expect(await error(answer)).toEqual(invalid(message, param, 'unsupported_parameter'))
    },
  )

  it('longer than the context window is refused before it is counted against the limit', async () => {
    const answer = await simulator.chat('older', 'word '.repeat(9_000))
    expect(await error(answer)).toMatchObject({ status: 400, body: { error: { code: 'context_length_exceeded' } } })
  })
})

describe('a body beyond the bound', () => {
  it('is given up as soon as it is known to be too large, and one at the bound is read', async () => {
    const kinds: string[] = []
    const server = createServer((request, response) => {
      void readBody(request, 10).then(({ kind }) => {
        kinds.push(kind)
        response.end()
      })
    }).listen(0)
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await fetch(url, { method: 'POST', body: 'a'.repeat(10) })
    await fetch(url, { method: 'POST', body: 'a'.repeat(11) })
    server.close()

    expect(kinds).toEqual(['body', 'too-large'])
    expect(BODY_BYTES_MAX).toBe(64 * 1_024 * 1_024)
  })
})

describe('a filtered prompt', () => {
  const safe = { filtered: false, severity: 'safe' }

  it.each([
    ['prompt', { filtered: false, detected: false }, { filtered: true, severity: 'medium' }],
    ['jailbreak', { filtered: true, detected: true }, safe],
  ])("gets Azure's exact 400 for %s, before any byte of a stream", async (kind, jailbreak, violence) => {
    const answer = await simulator.chat('chat', { ...user(`please [[filter:${kind}]]`), stream: true })

    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(await error(answer)).toEqual({
      status: 400,
      body: {
        error: {
          message:
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766",
          type: null,
          param: 'prompt',
          code: 'content_filter',
          status: 400,
          innererror: {
            code: 'ResponsibleAIPolicyViolation',
            content_filter_result: { hate: safe, jailbreak, self_harm: safe, sexual: safe, violence },
          },
        },
      },
    })
  })
})
