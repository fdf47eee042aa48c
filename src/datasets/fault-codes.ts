export interface FaultEntry {
  /** An error keeps the dataset from being used; a warning does not. */
  readonly severity: 'error' | 'warning'
  /** What would be valid, in the words that a report shows. */
  readonly valid: string
}

const error = (valid: string): FaultEntry => ({ severity: 'error', valid })
const warning = (valid: string): FaultEntry => ({ severity: 'warning', valid })

/**
 * Every fault that a dataset can have. docs/datasets.md has an entry with an example for each, and a test holds the two
 * together. Sources: azure-facts 3.2 and Microsoft's pages on fine-tuning, of vision and of preferences too.
 */
export const faultCodes = {
  // The file
  file_too_large: error('At most 512 MB a file; split the dataset or leave out what repeats.'),
  too_few_examples: error('At least 10 examples; hundreds are needed before a model learns something new.'),
  too_many_image_examples: error('At most 50,000 examples with images a file.'),
  trained_tokens_above_limit: error('Tokens × epochs of at most 2 billion; fewer examples or fewer epochs.'),
  method_unsupported: error('A method that the base model can be trained with.'),
  base_model_unknown: warning('A base model whose limits and prices are known; those rules were not checked.'),
  not_read_to_end: error('A file that can be used at all is at most 512 MB; this one was not read to its end.'),
  // The line
  utf16_encoding: error('The file in UTF-8, with or without a byte order mark.'),
  not_utf8: error('Every byte part of valid UTF-8.'),
  blank_line: error('A JSON object in every line; only the end of the file may be blank.'),
  line_too_long: error('Lines of at most 20 MB; give large images as https addresses.'),
  line_too_dense: error('Less than a million values in a line.'),
  invalid_json: error('One whole JSON object a line (JSONL), with no line break inside.'),
  not_an_object: error('A JSON object: {"messages":[…]}, or for preferences {"input":{…},…}.'),
  // Shapes
  missing_key: error('All keys of the format; see docs/datasets.md.'),
  unknown_key: error('Only keys of the format, spelled as it spells them.'),
  wrong_type: error('The type that the format gives this key.'),
  name_invalid: error('1 to 64 letters, digits, hyphens and underscores.'),
  // Messages
  messages_empty: error('At least one message.'),
  unknown_role: error('One of the roles that this place allows.'),
  system_not_first: warning('Instructions (system or developer) before all other messages.'),
  system_and_developer: error('Either system or developer messages, never both in one example.'),
  no_assistant_message: error('At least one assistant message, which is what is learned.'),
  last_not_assistant: error('An assistant message at the end: whatever follows the last answer teaches nothing.'),
  last_not_user: error('A user message at the end: in reinforcement the model writes the answer itself.'),
  content_missing: error('Content, as text or as a list of parts.'),
  content_empty: error('Text with something in it.'),
  part_unknown: error('Parts of the types that this role may have: text, and for users image_url.'),
  weight_invalid: error('"weight": 0 (not learned) or 1 (learned), as a number.'),
  weight_misplaced: error('Weights on assistant messages of supervised examples only.'),
  weights_all_zero: error('At least one assistant message whose weight is not 0.'),
  // Tools
  too_many_tools: error('At most 128 tools.'),
  tool_invalid: error('{"type":"function","function":{"name":…,"parameters":{…}}}'),
  tool_name_repeated: error('A name of its own for each tool.'),
  tool_schema_invalid: error('A JSON Schema of an object: {"type":"object","properties":{…}}.'),
  tools_and_functions: error('Either tools and tool_calls, or the older functions and function_call.'),
  tool_call_invalid: error('{"id":…,"type":"function","function":{"name":…,"arguments":"…"}}'),
  tool_call_id_repeated: error('An id of its own for each call within an example.'),
  arguments_not_json: error('Arguments as a text that holds a JSON object: "{\\"city\\":\\"Oslo\\"}".'),
  function_not_defined: warning('Calls of functions that the example lists among its tools.'),
  parallel_calls_forbidden: error('One call a message where "parallel_tool_calls" is false.'),
  tool_without_call: error('A tool message that answers a call of the assistant message before it, by its id.'),
  tool_call_unanswered: error('An answer to every call before the conversation goes on.'),
  // Images
  images_unsupported: error('Images only for base models that take them: gpt-4o and gpt-4.1.'),
  too_many_images: error('At most 64 images an example.'),
  image_misplaced: error('Images in user messages only.'),
  image_address_invalid: error('An https address, or data:image/…;base64,….'),
  image_format_unsupported: error('JPEG, PNG or WEBP, and the type in the data URI that the bytes have.'),
  image_base64_invalid: error('Standard base64 with its padding.'),
  image_too_large: error('At most 10 MB an image.'),
  image_mode_unsupported: error('Images in RGB or RGBA.'),
  image_detail_invalid: error('"detail": "low", "high" or "auto".'),
  // Preferences
  output_without_answer: error('Outputs of assistant and tool messages, with at least one of the assistant.'),
  outputs_equal: warning('A preferred and a non-preferred output that differ.'),
  // Length
  example_too_long: error('Examples within the training context of the base model: shorten or split them.'),
} as const satisfies Record<string, FaultEntry>

export type FaultCode = keyof typeof faultCodes
