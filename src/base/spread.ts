/** Which of `among` an id falls to, from 0: always the same, and of many ids about as many to each. Ids end in random characters. */
export function spread(id: string, among: number): number {
  let sum = 0
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % among
  return sum
}
