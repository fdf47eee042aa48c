import type { AnswerFormat, AnswerRequest, ChatTool } from './chat-request'
import type { Deployment } from './deployment'
import { fitsSchema } from './fits-schema'
import type { LearnedAnswer } from './fine-tuning/tuned-model'
import type { Hints } from './hints'

/** What a tuned model was taught to say to this; undefined where it says what its base would. What a test asks for wins. */
export function learnedAnswer(
  { recall }: Deployment,
  { messages, tools, toolChoice, format }: AnswerRequest,
  hints: Hints | undefined,
): LearnedAnswer | undefined {
  if (recall === undefined || hints?.echo !== undefined || hints?.tokens !== undefined) return undefined
  const answer = recall.answerTo(messages)
  if (answer?.kind === 'calls') {
    const isThere = ({ name }: { name: string }) => tools.some((tool: ChatTool) => tool.name === name)
    return toolChoice.kind === 'auto' && answer.calls.every(isThere) ? answer : undefined
  }
  // A call that is forced is made, whatever was learned to be said.
  if (toolChoice.kind === 'required' || toolChoice.kind === 'function') return undefined
  return answer !== undefined && fits(answer.text, format) ? answer : undefined
}

/** A form that is asked for is kept, also against what was learned. */
function fits(text: string, format: AnswerFormat): boolean {
  if (format.kind === 'text') return true
  try {
    const value: unknown = JSON.parse(text)
    if (format.kind === 'json-schema') return fitsSchema(value, format.schema)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
