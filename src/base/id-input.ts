import { z } from 'zod'
import { idBody } from './ids'

interface Kind<Id> {
  readonly prefixes: readonly string[]
  /** What stands behind the prefix: a hyphen in some of the ids that OpenAI spells. */
  readonly joint?: '_' | '-'
  readonly parse: (text: string) => Id | undefined
  /** `a backend` */
  readonly of: string
}

/** A schema for text that must be an id of one kind; its pattern stands in the API's documentation. */
export function idInput<Id extends string>({ prefixes, joint = '_', parse, of }: Kind<Id>) {
  const shown = prefixes.map((prefix) => `"${prefix}${joint}"`).join(' or ')
  const valid = `Must be the id of ${of}: ${shown} and 26 characters`
  const anyPrefix = prefixes.length === 1 ? prefixes[0] : `(?:${prefixes.join('|')})`
  return z
    .string(valid)
    .transform((text, context) => {
      const parsed = parse(text)
      if (parsed !== undefined) return parsed
      context.addIssue({ code: 'custom', message: valid })
      return z.NEVER
    })
    .meta({ description: valid, pattern: `^${anyPrefix}${joint}${idBody}$` })
}
