/**
 * Epochs of a job that leaves them to the provider, as far as is known: three, more where there are few examples and
 * fewer where there are very many. Source: OpenAI's cookbook, "Data preparation and analysis for chat model fine-tuning";
 * Azure states no rule, so a job's own `n_epochs` is what counts once it runs.
 */
export function estimateEpochs(examples: number): number {
  if (examples <= 0) return 0
  if (examples * TARGET_EPOCHS < TARGET_EXAMPLES_MIN)
    return Math.min(EPOCHS_MAX, Math.floor(TARGET_EXAMPLES_MIN / examples))
  if (examples * TARGET_EPOCHS > TARGET_EXAMPLES_MAX) return Math.max(1, Math.floor(TARGET_EXAMPLES_MAX / examples))
  return TARGET_EPOCHS
}

const TARGET_EPOCHS = 3
const TARGET_EXAMPLES_MIN = 100
const TARGET_EXAMPLES_MAX = 25_000
const EPOCHS_MAX = 25
