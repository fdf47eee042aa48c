import type { Binding } from './worker-types'

/** A text option of a binding. Throws, naming the option, when it is absent and there is no default, or is no text. */
export function bindingText(binding: Binding, option: string, otherwise?: string): string {
  const value = binding[option] ?? otherwise
  if (typeof value === 'string') return value
  throw new Error(`A ${binding.type} binding needs "${option}" to be a text`)
}
