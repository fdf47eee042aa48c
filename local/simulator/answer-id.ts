const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const HEX = '0123456789abcdef'
/** Characters from one draw: a draw holds 52 bits, and a draw per character would cost more than the rest. */
const GROUP_CHARS = 8

/** The form of the ids of chat answers and completions: 29 letters and digits. */
export const newAnswerId = (prefix: string): string => draw(prefix, ALPHABET, 29)

/** The form of the ids of responses and of what they consist of: 48 hexadecimal digits. */
export const newHexId = (prefix: string, chars = 48): string => draw(prefix, HEX, chars)

function draw(prefix: string, alphabet: string, chars: number): string {
  let id = prefix
  for (let left = chars; left > 0; left -= GROUP_CHARS) {
    let drawn = Math.random()
    for (let index = Math.min(left, GROUP_CHARS); index > 0; index--) {
      drawn *= alphabet.length
      id += alphabet.charAt(drawn)
      drawn -= Math.floor(drawn)
    }
  }
  return id
}
