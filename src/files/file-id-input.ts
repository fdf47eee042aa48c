import { idInput } from '../base/id-input'
import { parseFileId } from '../base/ids'

/** The id of a file, as OpenAI spells it. */
export const fileIdInput = idInput({ prefixes: ['file'], joint: '-', parse: parseFileId, of: 'a file' })
