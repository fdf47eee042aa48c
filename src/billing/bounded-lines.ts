import { sumOf, type InvoiceLine } from './invoice-line'

/** Of their JSON: half of what a row of storage has room for, beside plans and credits. Some 500 lines. */
const LINES_CHARACTERS_MAX = 200_000

/**
 * The first lines as they are, and what is more in one line for each kind and span, so that an invoice fits its row whatever a tenant has
 * named: one that did not would hold up every other tenant's. Pure; what they come to stays the same.
 */
export function boundedLines(lines: readonly InvoiceLine[]): InvoiceLine[] {
  let characters = 0
  const fits = lines.map((line) => (characters += JSON.stringify(line).length) <= LINES_CHARACTERS_MAX)
  const rest = Map.groupBy(
    lines.filter((_, at) => !fits[at]),
    ({ kind, unit, from, to }) => JSON.stringify([kind, unit, from, to]),
  )
  return [...lines.filter((_, at) => fits[at]), ...[...rest.values()].flatMap(summedUp)]
}

function summedUp(lines: readonly InvoiceLine[]): InvoiceLine[] {
  const [first] = lines
  if (!first) return []
  const total = (of: (line: InvoiceLine) => number) => lines.reduce((sum, line) => sum + of(line), 0)
  const { kind, from, to, unit } = first
  const unpriced = total((line) => line.unpriced ?? 0)
  return [
    {
      kind,
      text: `${lines.length} further lines of this kind, summed up`,
      from,
      to,
      quantity: total(({ quantity }) => quantity),
      unit,
      listMicroUsd: total(({ listMicroUsd }) => listMicroUsd),
      microUsd: sumOf(lines),
      ...(unpriced > 0 ? { unpriced } : {}),
    },
  ]
}
