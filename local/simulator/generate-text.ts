import { pick, seededRandom, type Random } from './random'
import type { Tokenizer } from './tokens'

/**
 * Words of which every generated text is made. Only forms that are one token each are used, and a space before a word
 * makes it a token of its own in both encodings, so a text of N pieces is exactly N tokens.
 */
const words = {
  determiner: 'the a this that every each another one some any our their',
  adjective:
    'small large new old early late quick slow clear open local common simple public private strong light dark deep high low good first last next main real free full whole short long warm cold young rich quiet modern recent active special central social national final major human natural',
  noun: 'house river road market city garden team system plan report letter story house school book table window door light water field bridge station village company office family friend child teacher doctor worker student group market price value method result reason example problem question answer change point part place world country state area line side hand head day week month year morning evening night summer winter season train ship car song picture paper map model number order record rule service share signal source space stage store street study test theory tool town trade tree unit view voice wall war way wind wood word',
  verb: 'shows makes takes keeps holds finds gives needs follows brings moves changes starts opens closes meets leaves reaches covers carries supports explains describes includes contains provides creates allows helps wants becomes remains uses calls turns runs reads writes sees knows',
  preposition:
    'in on at with from by for under over after before between through into near without within across behind',
} as const
type WordKind = keyof typeof words

const sentences: readonly (readonly WordKind[])[] = [
  ['determiner', 'adjective', 'noun', 'verb', 'determiner', 'noun'],
  ['determiner', 'noun', 'verb', 'determiner', 'adjective', 'noun', 'preposition', 'determiner', 'noun'],
  ['determiner', 'noun', 'preposition', 'determiner', 'noun', 'verb', 'determiner', 'adjective', 'noun'],
  ['determiner', 'adjective', 'noun', 'preposition', 'determiner', 'noun', 'verb', 'determiner', 'noun'],
]

/** The words usable under one encoding: inside a sentence, opening one, and opening the whole text. */
export interface Vocabulary {
  readonly inside: Record<WordKind, readonly string[]>
  readonly opening: readonly string[]
  readonly first: readonly string[]
}

const vocabularies = new WeakMap<Tokenizer, Vocabulary>()

/** The vocabulary of a tokenizer, checked against its table once. */
export function vocabularyOf(tokenizer: Tokenizer): Vocabulary {
  let vocabulary = vocabularies.get(tokenizer)
  if (vocabulary === undefined) {
    vocabulary = makeVocabulary(tokenizer)
    vocabularies.set(tokenizer, vocabulary)
  }
  return vocabulary
}

function makeVocabulary(tokenizer: Tokenizer): Vocabulary {
  const singles = (forms: string[]) => forms.filter((form) => tokenizer.count(form) === 1)
  const inside = (kind: WordKind) => singles([...new Set(words[kind].split(' '))].map((word) => ` ${word}`))
  const capitals = words.determiner.split(' ').map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return {
    inside: {
      determiner: inside('determiner'),
      adjective: inside('adjective'),
      noun: inside('noun'),
      verb: inside('verb'),
      preposition: inside('preposition'),
    },
    opening: singles(capitals.map((word) => ` ${word}`)),
    first: singles(capitals),
  }
}

/** A text of exactly `tokens` tokens, one string per token; the same for the same seed, under one encoding. */
export function generateText(vocabulary: Vocabulary, seed: number, tokens: number): string[] {
  const random = seededRandom(seed)
  const pieces: string[] = []
  while (pieces.length < tokens) addSentence(vocabulary, random, pieces, tokens)
  return pieces
}

/**
 * Adds one sentence, or what of it there is room for: the last token of a text ends its sentence wherever it stands, so
 * that a short answer reads as a whole one.
 */
function addSentence(vocabulary: Vocabulary, random: Random, pieces: string[], tokens: number): void {
  const wordsMax = tokens - pieces.length - 1
  const opening = pieces.length === 0 ? vocabulary.first : vocabulary.opening
  pieces.push(pick(random, opening))
  const kinds = pick(random, sentences).slice(1, Math.max(1, wordsMax))
  for (const kind of kinds) pieces.push(pick(random, vocabulary.inside[kind]))
  // Room for one token after this sentence would leave a lone full stop, which joins the one before into one token.
  if (tokens - pieces.length === 2) pieces.push(pick(random, vocabulary.inside.noun))
  if (pieces.length < tokens) pieces.push('.')
}
