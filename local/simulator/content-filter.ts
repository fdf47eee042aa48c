import type { FilterHint } from './hints'

const safe = '{"filtered":false,"severity":"safe"}'
const harmless = `"hate":${safe}`
const undetected = '{"filtered":false,"detected":false}'
const harms = `"self_harm":${safe},"sexual":${safe}`

export const promptFilterSafe = `{${harmless},"jailbreak":${undetected},${harms},"violence":${safe}}`
const medium = '{"filtered":true,"severity":"medium"}'

/** What stands on each choice and content chunk, ready to paste. */
export const completionFilterSafe = `{${harmless},${harms},"violence":${safe}}`
/** The whole answer's annotation has the protected-material results too. */
export const answerFilterSafe = `{${harmless},"protected_material_code":${undetected},"protected_material_text":${undetected},${harms},"violence":${safe}}`
export const completionFilterBlocked = `{${harmless},${harms},"violence":${medium}}`

export const promptFilterResults = `[{"prompt_index":0,"content_filter_results":${promptFilterSafe}}]`

/** The first event of every Azure chat stream: no id, no choices, only the prompt's annotations. */
export const promptFilterChunk = (usage: string): string =>
  `data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":${promptFilterResults}${usage}}\n\n`

const jailbreakDetected = `{${harmless},"jailbreak":{"filtered":true,"detected":true},${harms},"violence":${safe}}`
const violenceDetected = `{${harmless},"jailbreak":${undetected},${harms},"violence":${medium}}`

/** The body of the 400 for a filtered prompt, as captured from the service: `content_filter_result`, singular. */
export function promptFilteredBody(reason: Exclude<FilterHint, 'completion'>): string {
  const result = reason === 'jailbreak' ? jailbreakDetected : violenceDetected
  return (
    `{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy. ` +
    `Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation: ` +
    `https://go.microsoft.com/fwlink/?linkid=2198766","type":null,"param":"prompt","code":"content_filter","status":400,` +
    `"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":${result}}}}`
  )
}

/** How many tokens the asynchronous filter lets pass between two of its annotation messages. */
export const ASYNCHRONOUS_FILTER_STEP_TOKENS = 40

/** An annotation message of the asynchronous filter: it follows the text that it speaks of. Offsets are characters. */
export function asynchronousFilterChunk(
  index: number,
  offsets: { start: number; end: number },
  blocked: boolean,
  usage: string,
): string {
  const results = blocked ? '{"protected_material_text":{"detected":true,"filtered":true}}' : completionFilterSafe
  return (
    `data: {"choices":[{"content_filter_offsets":{"check_offset":${offsets.start},"start_offset":${offsets.start},"end_offset":${offsets.end}},` +
    `"content_filter_results":${results},"finish_reason":${blocked ? '"content_filter"' : 'null'},"index":${index}}],` +
    `"created":0,"id":"","model":"","object":""${usage}}\n\n`
  )
}
