import { detect } from 'tinyld/light'
import type { LanguageDetector } from './language-of'

/** Of the two dozen languages of its small table; the whole one takes a second to load, which each start of the app would pay. */
export const tinyldLanguages: LanguageDetector = {
  name: 'tinyld-1.3.4/light',
  languageOf: (text) => detect(text) || undefined,
}
