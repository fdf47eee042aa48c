import { isJsonObject, type JsonObject } from '../json-value'
import { refuse, refuseType } from '../request-fields'

const kinds = ['string_check', 'text_similarity', 'score_model', 'python', 'multi'] as const
const operations = ['eq', 'ne', 'like', 'ilike']
const metrics = [
  'fuzzy_match',
  'bleu',
  'gleu',
  'meteor',
  'cosine',
  ...['1', '2', '3', '4', '5', 'l'].map((n) => `rouge_${n}`),
]
const judges = ['gpt-4o-2024-08-06', 'o3-mini-2025-01-31']
const PYTHON_BYTES_MAX = 256 * 1_024
const REFERENCE = /^\s*\{\{\s*item\.([\w.]+)\s*\}\}\s*$/

/** Looks at a grader as the service does. Throws InvalidRequest. Source: Azure's page on reinforcement fine-tuning. */
export function checkGrader(value: unknown, param: string): JsonObject {
  if (!isJsonObject(value)) return refuseType(param, 'an object', value)
  const kind = kinds.find((each) => each === value['type'])
  const invalid = (what: string, field: string) =>
    refuse(`Invalid grader: ${what}.`, `${param}.${field}`, 'invalid_grader')
  const needs = (field: string, allowed: readonly string[]) =>
    allowed.includes(String(value[field])) || invalid(`expected one of ${allowed.join(', ')}`, field)
  switch (kind) {
    case undefined:
      return invalid(`expected one of ${kinds.join(', ')}`, 'type')
    case 'string_check':
      needs('operation', operations)
      break
    case 'text_similarity':
      needs('evaluation_metric', metrics)
      break
    case 'score_model':
      needs('model', judges)
      break
    case 'python': {
      const source = value['source']
      if (typeof source !== 'string' || !/\bdef\s+grade\s*\(/.test(source))
        invalid('it needs a function grade', 'source')
      else if (Buffer.byteLength(source) > PYTHON_BYTES_MAX)
        invalid(`it has more than ${PYTHON_BYTES_MAX} bytes`, 'source')
      break
    }
    case 'multi': {
      const { graders } = value
      if (!isJsonObject(graders)) return refuseType(`${param}.graders`, 'an object', graders)
      for (const [name, each] of Object.entries(graders)) checkGrader(each, `${param}.graders.${name}`)
      if (typeof value['calculate_output'] !== 'string') invalid('it needs a formula', 'calculate_output')
      break
    }
  }
  return value
}

/**
 * The answer that a grader would give full marks: what it compares with, where that is a field of the line. Undefined for
 * graders that judge in other ways, which teach the simulator nothing.
 */
export function rightAnswer(grader: JsonObject): (item: JsonObject) => string | undefined {
  const field = typeof grader['reference'] === 'string' ? REFERENCE.exec(grader['reference'])?.[1] : undefined
  if (field === undefined || grader['operation'] === 'ne') return () => undefined
  return (item) => {
    let value: unknown = item
    for (const name of field.split('.')) value = isJsonObject(value) ? value[name] : undefined
    return typeof value === 'string' ? value : undefined
  }
}
