/** What a model was taught to answer: a text, or calls of tools. */
export type LearnedAnswer =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'calls'; readonly calls: readonly { readonly name: string; readonly arguments: string }[] }

/** One thing that training data teaches: after these messages, this answer. */
export interface LearnedExample {
  /** Roles and texts in turn. */
  readonly prompt: readonly (readonly [role: string, text: string])[]
  readonly answer: LearnedAnswer
}

/** A model that an account has because it trained it, or a checkpoint on the way to one. */
export interface TunedModel {
  readonly id: string
  readonly base: string
  readonly jobId: string
  /** Unix milliseconds. */
  readonly createdAt: number
  /** The step that it was kept after; undefined for the model that a job ended with. */
  readonly checkpointStep: number | undefined
  readonly learned: readonly LearnedExample[]
}

/** What of a file is remembered: the rest is trained on and charged, but not known by heart. */
export const LEARNED_EXAMPLES_MAX = 5_000
export const LEARNED_CHARS_MAX = 4_000_000
