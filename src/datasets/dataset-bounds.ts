const MB = 1024 * 1024

/** Azure's bound of one training file (azure-facts 3.1). What is longer is read on, so that all its faults are known. */
export const DATASET_BYTES_MAX = 512 * MB
/** Nothing is read beyond this: then the report says that it is not whole. */
export const READ_BYTES_MAX = 4_096 * MB
/** As much as a call's body may have; images that need more stand in the line as addresses. */
export const LINE_BYTES_MAX = 20 * MB
/**
 * Lists, objects and commas outside or inside of texts, in a line longer than `DENSE_LINE_BYTES`. A line of nothing but
 * brackets takes a dozen times its length once it is parsed; one of text as much as it has.
 */
export const LINE_SYMBOLS_MAX = 1_000_000
export const DENSE_LINE_BYTES = MB

/** Azure: a job on fewer fails. Source: azure-facts 3.2. */
export const EXAMPLES_MIN = 10
/** Azure: tokens × epochs of a job (azure-facts 3.2). */
export const TRAINED_TOKENS_MAX = 2_000_000_000

/** Source: Microsoft's "Vision fine-tuning" (read 2026-11): images of an example, examples with images, size of each. */
export const EXAMPLE_IMAGES_MAX = 64
export const IMAGE_EXAMPLES_MAX = 50_000
export const IMAGE_BYTES_MAX = 10 * MB

/** Of chat completions, whose shapes the examples have. */
export const TOOLS_MAX = 128
export const SCHEMA_DEPTH_MAX = 32

/** Faults that a report lists; the others are counted. So one mistake made in every line does not hide the others. */
export const FAULTS_LISTED_MAX = 1_000
export const CODE_FAULTS_LISTED_MAX = 100
export const LINE_FAULTS_MAX = 20

/** Faults that are kept beside the report of a registered dataset, in pages of so many; the others are counted. */
export const FAULTS_KEPT_MAX = 100_000
export const FAULTS_PAGE = 1_000

/** Of one tenant, those that its jobs made included. */
export const DATASETS_MAX = 1_000

/** Pairs of lines that a report lists as duplicates or as leaked. */
export const PAIRS_LISTED_MAX = 100
/** Line numbers that a report lists for each kind of identifying data. */
export const PII_LINES_LISTED_MAX = 100

/** So much is read at one time before others have their turn: 2 to 4 ms. */
export const TURN_BYTES = 256 * 1024
/** A line takes as long as so much more of it, however short it is. */
export const LINE_TURN_BYTES = 1_024
