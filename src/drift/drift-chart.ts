import type { ComparedFeature } from './judge-drift'

const BAR_CHARACTERS = 20
/** Names in a column of their own; longer ones are cut. */
const NAME_CHARACTERS = 20

/**
 * Shares then and now as plain text, for a terminal or a mail: a line for each bin, `▒` for the training set over `█` for the calls,
 * each bar `BAR_CHARACTERS` long for all of them.
 */
export function driftChart(compared: readonly ComparedFeature[]): string {
  return compared.map(chartOf).join('\n\n')
}

function chartOf({ feature, level, index, chance, baselineRequests, samples, bins }: ComparedFeature): string {
  const bound = Number.isFinite(chance) ? `, chance alone up to ${chance.toFixed(3)}` : ''
  const head = `${feature}: ${level}, index ${index.toFixed(3)}${bound} (${baselineRequests} then, ${samples} now)`
  const lines = bins.flatMap(({ name, baseline, now }) => [
    `  ${padded(name)} ▒ ${bar('▒', shareOf(baseline, baselineRequests))}`,
    `  ${padded('')} █ ${bar('█', shareOf(now, samples))}`,
  ])
  return [head, ...lines].join('\n')
}

const padded = (name: string) => name.slice(0, NAME_CHARACTERS).padEnd(NAME_CHARACTERS)

function bar(block: string, share: number): string {
  const percent = `${(100 * share).toFixed(1)} %`
  return `${block.repeat(Math.round(BAR_CHARACTERS * share)).padEnd(BAR_CHARACTERS)} ${percent.padStart(7)}`
}

export const shareOf = (count: number, total: number): number => (total === 0 ? 0 : count / total)
