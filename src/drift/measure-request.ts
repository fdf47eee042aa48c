import type { AskedConversation } from './asked-conversation'
import type { Measured } from './feature'
import { binOf } from './histogram'
import { languageLabel, type LanguageDetector } from './language-of'
import { scriptOf } from './script-of'

/** One request to a model, from its training data or from a call, before it is counted. Its text goes no further than this. */
export interface AskedRequest extends AskedConversation {
  /** By the estimate that admission makes of every call: the same for examples and for calls, whatever the provider counts. */
  readonly promptTokens: number
  /** Of the visible answer; undefined where it is not known. */
  readonly outputTokens: number | undefined
}

/** All but its topic, which takes an embedding. */
export const measureRequest = (
  { promptTokens, messages, outputTokens, text }: AskedRequest,
  languages: LanguageDetector | undefined,
): Measured => ({
  promptTokens: binOf(promptTokens),
  messages: binOf(messages),
  ...(outputTokens === undefined ? {} : { outputTokens: binOf(outputTokens) }),
  scripts: scriptOf(text),
  ...(languages ? { languages: languageLabel(languages, text) } : {}),
})
