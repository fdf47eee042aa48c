import type { ImageSize } from './image-header'

/** Whose text it is, as an index into counts. */
export const textClasses = ['system', 'user', 'assistant', 'unlearned', 'tool', 'definitions'] as const
export type TextClass = (typeof textClasses)[number]

/** An image of an example, by what it is known and counted. */
export interface ImageUse {
  /** An address, or the image itself. */
  readonly url: string
  readonly detail: 'low' | 'high'
  /** Undefined for an address, which nobody here opens. */
  readonly size: ImageSize | undefined
}

/** What an example holds, gathered while it is checked: one object serves all lines of a file. */
export class ExampleParts {
  readonly texts: string[] = []
  /** The class of the text at the same place. */
  readonly classes: TextClass[] = []
  readonly images: ImageUse[] = []
  messages = 0
  /** Names of participants. */
  names = 0
  /** Lists of messages. */
  conversations = 0

  add(text: string, textClass: TextClass): void {
    if (text === '') return
    this.texts.push(text)
    this.classes.push(textClass)
  }

  clear(): void {
    this.texts.length = 0
    this.classes.length = 0
    this.images.length = 0
    this.messages = 0
    this.names = 0
    this.conversations = 0
  }
}
