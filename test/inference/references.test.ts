import { Problem } from '../../src/base/problem'
import type { Body } from '../../src/inference/operation'
import { checkDataSources, referencesInMessages, referencesInResponse } from '../../src/inference/references'

const nested = (depth: number): object => (depth === 0 ? {} : { inner: nested(depth - 1) })

describe('a response', () => {
  it.each<[string, string, Body]>([
    ['a conversation', 'conversation', { conversation: 'conv_1' }],
    ['a conversation by object', 'conversation', { conversation: { id: 'conv_1' } }],
    ['a stored prompt', 'prompt', { prompt: { id: 'pmpt_1', version: '2' } }],
    ['an agent', 'agent', { agent: { type: 'agent_reference', name: 'a' } }],
    ['vector stores', 'tools[0].vector_store_ids', { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }],
    ['a container', 'tools[0].container', { tools: [{ type: 'code_interpreter', container: 'cntr_1' }] }],
    [
      'the container of a shell',
      'tools[0].environment.container_id',
      { tools: [{ type: 'shell', environment: { type: 'container_reference', container_id: 'cntr_1' } }] },
    ],
    [
      'a connector',
      'tools[1].connector_id',
      {
        tools: [
          { type: 'function', name: 'f' },
          { type: 'mcp', connector_id: 'c' },
        ],
      },
    ],
    [
      'a connection of a project',
      'tools[0].bing_grounding.search_configurations[0].project_connection_id',
      {
        tools: [
          { type: 'bing_grounding', bing_grounding: { search_configurations: [{ project_connection_id: '/a/b' }] } },
        ],
      },
    ],
    ['a tool that nobody here knows', 'tools[0].type', { tools: [{ type: 'time_travel' }] }],
    [
      'the container in an item',
      'input[0].container_id',
      { input: [{ type: 'code_interpreter_call', id: 'ci_1', container_id: 'cntr_1' }] },
    ],
    [
      'the container that an answer of before cites',
      'input[0].content[0].annotations[0].container_id',
      {
        input: [
          {
            role: 'assistant',
            content: [
              { type: 'output_text', text: 'x', annotations: [{ type: 'container_file_citation', container_id: 'c' }] },
            ],
          },
        ],
      },
    ],
    ['more than JSON that clients write is nested', `input[0]${'.inner'.repeat(25)}`, { input: [nested(60)] }],
    ['an item that is none', 'input[1]', { input: [{ role: 'user', content: 'x' }, null] }],
    ['an id that is none', 'input[0].id', { input: [{ type: 'item_reference', id: 5 }] }],
  ])('that names %s is refused by the field’s name', (_name, param, body) => {
    const found = referencesInResponse(body)
    expect(found).toBeInstanceOf(Problem)
    expect(found).toMatchObject({ param })
    expect((found as Problem).entry.status).toBe(400)
  })

  it('names the files of its input, its tools and the masks of what they draw', () => {
    const found = referencesInResponse({
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_file', file_id: 'file-a' },
            { type: 'input_image', file_id: 'file-b' },
          ],
        },
        { type: 'computer_call_output', call_id: 'c', output: { type: 'computer_screenshot', file_id: 'file-c' } },
        { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_file', file_id: 'file-d' }] },
      ],
      tools: [
        { type: 'code_interpreter', container: { type: 'auto', file_ids: ['file-e', 'file-f'] } },
        { type: 'image_generation', input_image_mask: { file_id: 'file-g' } },
      ],
    })
    expect(found).toMatchObject({ files: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => ({ id: `file-${name}` })) })
  })

  it('names items by their own ids and by those that they approve, and says which can do without', () => {
    const found = referencesInResponse({
      input: [
        { type: 'item_reference', id: 'msg_1' },
        { type: 'message', id: 'msg_2', role: 'assistant', content: [{ type: 'output_text', text: 'x' }] },
        { type: 'reasoning', id: 'rs_1', summary: [] },
        { type: 'reasoning', id: 'rs_2', summary: [], encrypted_content: 'abc' },
        { type: 'image_generation_call', id: 'ig_1' },
        { type: 'mcp_approval_response', approval_request_id: 'mcpr_1', approve: true },
        { type: 'function_call_output', call_id: 'call_1', output: 'x' },
      ],
    })
    if (found instanceof Problem) throw new Error(found.public)
    expect(found.items.map(({ id, wholeAt }) => [id, wholeAt])).toEqual([
      ['msg_1', undefined],
      ['msg_2', 1],
      ['rs_1', undefined],
      ['rs_2', 3],
      ['ig_1', undefined],
      ['mcpr_1', undefined],
    ])
  })

  it('may call the properties of its schemas what it likes', () => {
    const properties = { file_id: { type: 'string' }, container_id: { type: 'string' } }
    const found = referencesInResponse({
      input: 'x',
      tools: [
        { type: 'function', name: 'f', parameters: { type: 'object', properties } },
        { type: 'code_interpreter', container: { type: 'auto' } },
      ],
      text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object', properties } } },
    })
    expect(found).toEqual({ items: [], files: [] })
  })
})

describe('a chat completion', () => {
  it('names nothing, nearly always', () => {
    const content = [
      { type: 'text', text: 'x' },
      { type: 'image_url', image_url: { url: 'https://a' } },
    ]
    expect(
      referencesInMessages([
        { role: 'user', content },
        { role: 'assistant', content: 'y' },
      ]),
    ).toBeUndefined()
  })

  it('names the files of its messages', () => {
    const found = referencesInMessages([{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-a' } }] }])
    expect(found).toMatchObject({ files: [{ param: 'messages[0].content[0].file.file_id', id: 'file-a' }] })
  })

  it('that names what a model spoke earlier is refused', () => {
    expect(referencesInMessages([{ role: 'assistant', audio: { id: 'audio_1' } }])).toMatchObject({
      param: 'messages[0].audio',
    })
  })
})

describe('a search beside a chat', () => {
  const source = (parameters: object) => ({ data_sources: [{ type: 'azure_search', parameters }] })
  const secret = { type: 'api_key', key: 'mine' }

  it.each<[string, Body]>([
    ['nothing', {}],
    ['null', { data_sources: null }],
    ['a secret of its own', source({ endpoint: 'https://mine', authentication: secret })],
    [
      'embeddings elsewhere by a secret of its own',
      source({ authentication: secret, embedding_dependency: { type: 'endpoint', authentication: secret } }),
    ],
  ])('goes on with %s', (_name, body) => {
    expect(checkDataSources(body)).toBeUndefined()
  })

  it.each<[string, string, Body]>([
    [
      'the identity of the account',
      'data_sources[0].parameters.authentication',
      source({ authentication: { type: 'system_assigned_managed_identity' } }),
    ],
    ['nothing to open it by', 'data_sources[0].parameters.authentication', source({ endpoint: 'https://a' })],
    [
      'a deployment of the account',
      'data_sources[0].parameters.embedding_dependency',
      source({ authentication: secret, embedding_dependency: { type: 'deployment_name', deployment_name: 'd' } }),
    ],
    [
      'embeddings by the identity of the account',
      'data_sources[0].parameters.embedding_dependency',
      source({ authentication: secret, embedding_dependency: { type: 'endpoint', endpoint: 'https://a' } }),
    ],
    ['no list', 'data_sources', { data_sources: {} }],
    ['no parameters', 'data_sources[0].parameters', { data_sources: ['x'] }],
  ])('is refused with %s', (_name, param, body) => {
    expect(checkDataSources(body)).toMatchObject({ param })
  })
})
