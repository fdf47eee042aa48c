import { isObject } from '../base/json-object'
import type { ExampleCheck } from './check-example'
import { checkImage } from './check-image'
import type { TextClass } from './example-parts'
import { isList, kindOf, shown } from './json-kinds'

interface ContentPlace {
  readonly textClass: TextClass
  /** What tools return, and what stands beside a call, may be nothing. */
  readonly emptyAllowed: boolean
}

/** Checks a text or a list of parts, and gathers it. */
export function checkContent(content: unknown, path: string, place: ContentPlace, check: ExampleCheck): void {
  const { faults } = check
  if (content === undefined || content === null) return faults.add('content_missing', path, `It is ${kindOf(content)}.`)
  if (typeof content === 'string') return checkText(content, path, place, check)
  if (!isList(content))
    return faults.add('wrong_type', path, `It is ${kindOf(content)}, not a text or a list of parts.`)
  if (content.length === 0 && !place.emptyAllowed) faults.add('content_empty', path, 'The list of parts is empty.')
  for (const [i, part] of content.entries()) checkPart(part, `${path}[${i}]`, place, check)
}

function checkText(text: string, path: string, { textClass, emptyAllowed }: ContentPlace, check: ExampleCheck): void {
  if (!emptyAllowed && !SOMETHING.test(text))
    check.faults.add('content_empty', path, text === '' ? 'The text is empty.' : 'The text is white space only.')
  check.parts.add(text, textClass)
}

const SOMETHING = /\S/

function checkPart(part: unknown, path: string, place: ContentPlace, check: ExampleCheck): void {
  const { faults } = check
  if (!isObject(part)) return faults.add('wrong_type', path, `It is ${kindOf(part)}, not a part.`)
  const { type, text, refusal } = part
  if (type === 'image_url') {
    if (place.textClass === 'user') return checkImage(part['image_url'], `${path}.image_url`, check)
    return faults.add('image_misplaced', path, 'The message is not the user’s.')
  }
  const said = type === 'text' ? text : type === 'refusal' && isAnswer(place.textClass) ? refusal : undefined
  if (typeof said === 'string') return checkText(said, `${path}.${type === 'text' ? 'text' : 'refusal'}`, place, check)
  if (type === 'text') return faults.add('wrong_type', `${path}.text`, `It is ${kindOf(text)}, not a text.`)
  faults.add('part_unknown', `${path}.type`, `The type is ${shown(type)}.`)
}

const isAnswer = (textClass: TextClass) => textClass === 'assistant' || textClass === 'unlearned'
