export { behind, type Appended } from './appended.js';
export { SEGMENT, type Completion, type LabelSet, type PackedBatch } from './batch.js';
export { bucket, type Sizes } from './bucket.js';
export {
  createChatTemplate,
  loadChatTemplate,
  PLAIN_TEMPLATE,
  type ChatTemplate,
  type Conversation,
} from './chat/chat.js';
export { selectColumns, textOf, type ColumnMapping, type Selection } from './columns.js';
export { TimeUp, withinTime } from './deadline.js';
export { encodeRows, type Encoded, type EncoderOptions, type EncoderRow } from './encode.js';
export { createEncoder, type Encoder, type EncoderWork } from './encoder.js';
export { openCsv } from './sources/csv.js';
export { openJsonl, openJsonList } from './sources/jsonl.js';
export { FORMATS, type Format } from './sources/format.js';
export { openSource, type OpenSource, type Place } from './sources/open.js';
export { pack, type PackOptions } from './pack.js';
export type { Example, TokenizeOptions } from './example.js';
export { tokenizeRow, type BenignColumns, type PairColumns } from './pairs.js';
export { openParquet } from './sources/parquet.js';
export { type DatasetConfig, type DatasetCursor, type FeedCursor, type MixtureCursor } from './feed.js';
export { sieve, type ColumnFilter, type Comparable, type RowFilter, type RowRange } from './filter.js';
export { labelledExample, UNLABELLED, type LabelledColumns } from './labelled.js';
export { mixed, type Mixed, type MixturePart, type MixtureProgress, type PartProgress } from './mixture.js';
export {
  trainingBatches,
  type Cursor,
  type Datasets,
  type TrainingBatch,
  type TrainingBatches,
  type TrainingDataConfig,
} from './pipeline.js';
export {
  datasetOf,
  presetOf,
  PRESETS,
  type DatasetChoice,
  type DatasetRole,
  type Preset,
  type PresetRole,
} from './presets.js';
export { parseTranscript, shaped, SHAPES, type Shape } from './shapes.js';
export { layoutOf, type Layout, type LayoutRole } from './layouts.js';
export { readRows, type ReadRowsOptions } from './read-rows.js';
export { prefetch } from './prefetch.js';
export { shuffledRows, type Progress, type ShuffledRow, type ShuffleOptions } from './shuffle.js';
export {
  readGroups,
  rowsFrom,
  type NumberedRow,
  type Row,
  type RowGroup,
  type Source,
} from './sources/source.js';
export { type JsonObject, type TokenizerFiles } from './chat/special-tokens.js';
export { splitBatch, type Microbatch } from './split.js';
export { writeTable, type Cell } from './sources/table.js';
export { textExample, type TextColumns } from './text.js';
export { TextStream } from './chat/text-stream.js';
export {
  checkVocabulary,
  createTokenizer,
  loadTokenizer,
  type SpecialToken,
  type Tokenizer,
} from './chat/tokenizer.js';
export { type Message } from './chat/turns.js';
export { Examiner, segmentsOf, type Dropped, type Examined, type Segment } from './examine.js';
export { inspect, type Inspection, type InspectOptions } from './inspect.js';
export type { ColumnProfile } from './profile.js';
export type { DataFigures } from './tally.js';
export { type TokenCachePlace } from './token-cache.js';
export { unpack } from './unpack.js';
