import { isObject } from '../base/json-object'
import { EXAMPLE_IMAGES_MAX, IMAGE_BYTES_MAX } from './dataset-bounds'
import type { ExampleCheck } from './check-example'
import { readImageHeader, type ImageHeader, type ImageSize } from './image-header'
import { kindOf, shown } from './json-kinds'

/**
 * Checks an image: its address, or its bytes where they stand in the line. What it shows is judged by the provider, who
 * leaves out images of people, faces and CAPTCHAs. Source: Microsoft, "Vision fine-tuning".
 */
export function checkImage(image: unknown, path: string, check: ExampleCheck): void {
  const { faults, parts } = check
  if (!check.images) return faults.add('images_unsupported', path, 'The base model reads text only.')
  if (!isObject(image)) return faults.add('wrong_type', path, `It is ${kindOf(image)}, not an object with a url.`)
  const { url, detail = 'auto' } = image
  if (detail !== 'low' && detail !== 'high' && detail !== 'auto')
    faults.add('image_detail_invalid', `${path}.detail`, `It is ${shown(detail)}.`)
  if (typeof url !== 'string') return faults.add('image_address_invalid', `${path}.url`, `It is ${kindOf(url)}.`)
  const size = checkAddress(url, `${path}.url`, check)
  parts.images.push({ url, detail: detail === 'low' ? 'low' : 'high', size })
  if (parts.images.length === EXAMPLE_IMAGES_MAX + 1)
    faults.add('too_many_images', path, `This is image ${EXAMPLE_IMAGES_MAX + 1} of the example.`)
}

/** As long as any browser takes. */
const ADDRESS_CHARACTERS_MAX = 8_192

/** What is known of the image's size: nothing of one that is only named. */
function checkAddress(url: string, path: string, check: ExampleCheck): ImageSize | undefined {
  if (url.startsWith('data:')) return checkDataUri(url, path, check)
  if (url.length > ADDRESS_CHARACTERS_MAX || !url.startsWith('https://') || !URL.canParse(url))
    check.faults.add('image_address_invalid', path, 'It is neither an https address nor a data URI.')
  return undefined
}

const DATA_URI = /^data:([a-z]+\/[a-z0-9.+-]+);base64,/i
const formatOf: Readonly<Record<string, ImageHeader['format']>> = {
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/png': 'png',
  'image/webp': 'webp',
}

function checkDataUri(url: string, path: string, { faults }: ExampleCheck): ImageSize | undefined {
  const [start = '', type = ''] = DATA_URI.exec(url.slice(0, DATA_URI_START_MAX)) ?? []
  if (start === '') return faults.add('image_address_invalid', path, 'The data URI is not data:image/…;base64,….')
  const format = formatOf[type.toLowerCase()]
  if (!format) return faults.add('image_format_unsupported', path, 'The data URI names another type of data.')
  const bytes = base64Bytes(url, start.length)
  if (bytes === undefined) return faults.add('image_base64_invalid', path, 'The data is not base64 as it should be.')
  if (bytes > IMAGE_BYTES_MAX) faults.add('image_too_large', path, `The image has ${bytes} bytes.`)
  const header = readImageHeader(Buffer.from(url.slice(start.length, start.length + HEADER_CHARACTERS), 'base64'))
  if (header?.format !== format)
    return faults.add('image_format_unsupported', path, `The bytes are not those of ${format.toUpperCase()}.`)
  if (header.mode === 'other')
    faults.add('image_mode_unsupported', path, 'It is in another mode: grey or with a palette.')
  return header.size
}

const DATA_URI_START_MAX = 64
/** JPEG's sizes stand behind its metadata, which is seldom longer. A multiple of 4. */
const HEADER_CHARACTERS = 131_072

const BASE64 = /[A-Za-z0-9+/]*={0,2}$/y

/** Undefined for what is not base64 with its padding. Source: RFC 4648, section 4. */
function base64Bytes(url: string, start: number): number | undefined {
  const length = url.length - start
  BASE64.lastIndex = start
  if (length === 0 || length % 4 !== 0 || !BASE64.test(url)) return undefined
  const padding = url.endsWith('==') ? 2 : url.endsWith('=') ? 1 : 0
  return (length / 4) * 3 - padding
}
