/**
 * The language of a text, as a code of ISO 639; undefined where it cannot be told, as of a text of a few words. A part of the platform
 * that is put in from outside: a detector is a library's business.
 */
export interface LanguageDetector {
  /** Part of what baselines are measured by: with another detector they are made again. */
  readonly name: string
  languageOf(text: string): string | undefined
}

/** Below it detectors guess. */
const CHARACTERS_MIN = 24

/** `und`, the code for a language that was not determined, is a label like others: its share may shift as well. */
export const languageLabel = (detector: LanguageDetector, text: string): string =>
  text.length < CHARACTERS_MIN ? 'und' : (detector.languageOf(text) ?? 'und')
