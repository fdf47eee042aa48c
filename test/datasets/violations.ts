import type { FaultCode } from '../../src/datasets/fault-codes'
import type { TrainingMethod } from '../../src/datasets/training-models'

export interface Violation {
  readonly code: FaultCode
  readonly method: TrainingMethod
  /** One line of a dataset; docs/datasets.md shows it. */
  readonly line: string
  readonly path: string
  /** What a report says of it; docs/datasets.md shows it. */
  readonly reason: string
}

const ask = '{"role":"user","content":"Where is my order?"}'
const say = '{"role":"assistant","content":"On its way."}'
const tool = '{"type":"function","function":{"name":"find","parameters":{"type":"object","properties":{}}}}'
const call = (id = 'c1', name = 'find', given = '{}') =>
  JSON.stringify({ id, type: 'function', function: { name, arguments: given } })
const calls = (...list: string[]) => `{"role":"assistant","tool_calls":[${list.join(',')}]}`
const result = (id = 'c1') => `{"role":"tool","tool_call_id":"${id}","content":"shipped"}`
const messages = (...list: string[]) => `{"messages":[${list.join(',')}]}`
const withTools = (list: string, more = `"tools":[${tool}]`) => `{"messages":[${list}],${more}}`
const image = (url: string, detail = '') =>
  messages(
    `{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"${url}"${detail}}}]}`,
    say,
  )

/** 1 × 1 pixels. */
const png = (colourType: number) => {
  const bytes = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010800000000', 'hex')
  bytes[25] = colourType
  return Buffer.concat([bytes, Buffer.alloc(4)]).toString('base64')
}
export const pngOf = (colourType: number) => `data:image/png;base64,${png(colourType)}`
export const imageLine = image

const violation =
  (method: TrainingMethod) =>
  (code: FaultCode, line: string, path: string, reason: string): Violation => ({ code, method, line, path, reason })
const supervised = violation('supervised')
const dpo = violation('dpo')
const reinforcement = violation('reinforcement')

/** One line for each rule that a line can break, and what is said of it. Long lines and whole files are tested apart. */
export const violations: readonly Violation[] = [
  supervised(
    'invalid_json',
    '{"messages":[',
    '',
    'The line ends before its JSON does: is the object spread over several lines?',
  ),
  supervised('not_an_object', '[]', '', 'The line is an empty list.'),
  supervised('missing_key', '{}', 'messages', 'The example has no such list.'),
  supervised(
    'unknown_key',
    messages(ask, '{"role":"assistant","content":"On its way.","wieght":1}'),
    'messages[1]',
    '“wieght” is no key of the format here; known are role, content, name, refusal, tool_calls, function_call, weight.',
  ),
  supervised('wrong_type', '{"messages":{}}', 'messages', 'It is an object, not a list of messages.'),
  supervised(
    'name_invalid',
    messages('{"role":"user","name":"Ann Lee","content":"Hello"}', say),
    'messages[0].name',
    'The name cannot be used.',
  ),
  supervised('messages_empty', '{"messages":[]}', 'messages', 'The list is empty.'),
  supervised(
    'unknown_role',
    messages('{"role":"bot","content":"Hello"}', say),
    'messages[0].role',
    'The role is “bot”; here it can be system, developer, user, assistant, tool, function.',
  ),
  supervised(
    'system_not_first',
    messages(ask, '{"role":"system","content":"Be brief."}', say),
    'messages[1]',
    'A system message follows others.',
  ),
  supervised(
    'system_and_developer',
    messages('{"role":"system","content":"Be brief."}', '{"role":"developer","content":"Be kind."}', ask, say),
    'messages',
    'Both have messages here.',
  ),
  supervised('no_assistant_message', messages(ask), 'messages', 'No message is the assistant’s.'),
  supervised('last_not_assistant', messages(ask, say, ask), 'messages[2]', 'The last message is of the role user.'),
  reinforcement('last_not_user', messages(ask, say), 'messages[1]', 'The last message is of the role assistant.'),
  supervised('content_missing', messages('{"role":"user"}', say), 'messages[0].content', 'It is nothing.'),
  supervised(
    'content_empty',
    messages('{"role":"user","content":" "}', say),
    'messages[0].content',
    'The text is white space only.',
  ),
  supervised(
    'part_unknown',
    messages('{"role":"user","content":[{"type":"input_audio"}]}', say),
    'messages[0].content[0].type',
    'The type is “input_audio”.',
  ),
  supervised(
    'weight_invalid',
    messages(ask, '{"role":"assistant","content":"On its way.","weight":0.5}'),
    'messages[1].weight',
    'It is another number.',
  ),
  reinforcement(
    'weight_misplaced',
    messages(ask, '{"role":"assistant","content":"On its way.","weight":1}', ask),
    'messages[1].weight',
    'The method does not weigh messages.',
  ),
  supervised(
    'weights_all_zero',
    messages(ask, '{"role":"assistant","content":"On its way.","weight":0}'),
    'messages',
    'Every assistant message has weight 0.',
  ),
  supervised(
    'tool_invalid',
    withTools(`${ask},${say}`, '"tools":[{"type":"retrieval"}]'),
    'tools[0].type',
    'The type is not “function”.',
  ),
  supervised(
    'tool_name_repeated',
    withTools(`${ask},${say}`, `"tools":[${tool},${tool}]`),
    'tools[1].function.name',
    'A tool before it has this name.',
  ),
  supervised(
    'tool_schema_invalid',
    withTools(
      `${ask},${say}`,
      '"tools":[{"type":"function","function":{"name":"find","parameters":{"type":"string"}}}]',
    ),
    'tools[0].function.parameters.type',
    'The outermost type is not “object”.',
  ),
  supervised(
    'tools_and_functions',
    withTools(`${ask},${say}`, `"tools":[${tool}],"functions":[{"name":"find"}]`),
    'functions',
    'The example has both.',
  ),
  supervised(
    'tool_call_invalid',
    withTools(
      `${ask},{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"find","arguments":"{}"}}]}`,
    ),
    'messages[1].tool_calls[0].id',
    'It is nothing, not an id.',
  ),
  supervised(
    'tool_call_id_repeated',
    withTools(`${ask},${calls(call(), call())}`),
    'messages[1].tool_calls[1].id',
    'A call before it has this id.',
  ),
  supervised(
    'arguments_not_json',
    withTools(`${ask},${calls(call('c1', 'find', 'order 7'))}`),
    'messages[1].tool_calls[0].function.arguments',
    'The text holds no JSON object.',
  ),
  supervised(
    'function_not_defined',
    withTools(`${ask},${calls(call('c1', 'cancel'))}`),
    'messages[1].tool_calls[0].function.name',
    'No tool of the example has this name.',
  ),
  supervised(
    'parallel_calls_forbidden',
    withTools(`${ask},${calls(call('c1'), call('c2'))}`, `"tools":[${tool}],"parallel_tool_calls":false`),
    'messages[1].tool_calls',
    'The message has 2 calls.',
  ),
  supervised(
    'tool_without_call',
    withTools(`${ask},${calls(call())},${result('c9')},${say}`),
    'messages[2].tool_call_id',
    'No call that waits for its answer has this id.',
  ),
  supervised(
    'tool_call_unanswered',
    withTools(`${ask},${calls(call('c1'), call('c2'))},${result()},${say}`),
    'messages[1].tool_calls[1]',
    'It has no answer before messages[3].',
  ),
  supervised(
    'image_misplaced',
    messages(
      ask,
      '{"role":"assistant","content":[{"type":"image_url","image_url":{"url":"https://a.example/1.png"}}]}',
    ),
    'messages[1].content[0]',
    'The message is not the user’s.',
  ),
  supervised(
    'image_address_invalid',
    image('http://a.example/1.png'),
    'messages[0].content[1].image_url.url',
    'It is neither an https address nor a data URI.',
  ),
  supervised(
    'image_format_unsupported',
    image('data:image/gif;base64,R0lGODlh'),
    'messages[0].content[1].image_url.url',
    'The data URI names another type of data.',
  ),
  supervised(
    'image_base64_invalid',
    image('data:image/png;base64,iVBORw0'),
    'messages[0].content[1].image_url.url',
    'The data is not base64 as it should be.',
  ),
  supervised(
    'image_mode_unsupported',
    image(pngOf(3)),
    'messages[0].content[1].image_url.url',
    'It is in another mode: grey or with a palette.',
  ),
  supervised(
    'image_detail_invalid',
    image('https://a.example/1.png', ',"detail":"best"'),
    'messages[0].content[1].image_url.detail',
    'It is “best”.',
  ),
  dpo(
    'output_without_answer',
    `{"input":${messages(ask)},"preferred_output":[${say}],"non_preferred_output":[${result()}]}`,
    'non_preferred_output',
    'No message is the assistant’s.',
  ),
  dpo(
    'outputs_equal',
    `{"input":${messages(ask)},"preferred_output":[${say}],"non_preferred_output":[${say}]}`,
    'non_preferred_output',
    'It is the same as the preferred output.',
  ),
]
