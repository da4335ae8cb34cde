/** @file A model's files behind one face, whatever they are kept in. Knows the files, not what is in them. */
import type { HalfType } from './half.js';
import type { StoredHalf, StoredTensor } from './stored-tensor.js';

/** The small files of a model, by their Hugging Face names. */
export type ModelFile =
  | 'config.json'
  | 'generation_config.json'
  | 'tokenizer.json'
  | 'tokenizer_config.json'
  | 'special_tokens_map.json'
  | 'chat_template.jinja'
  | 'additional_chat_templates/default.jinja';

/** A model as Hugging Face lays it out: a folder that is one, or a file whose content reads as one. */
export interface ModelFolder {
  /** As the user named it, for messages. */
  readonly path: string;
  /** A file's text; undefined where the model has none of that name. */
  text(name: ModelFile): Promise<string | undefined>;
  /** Shapes of all tensors, by Hugging Face name. */
  shapes(): Promise<ReadonlyMap<string, readonly number[]>>;
  /**
   * Those of the named tensors that are there, floats of any width or quantisation as float32.
   * @param matrices what floats of more than one dimension are given as instead; only one at a time is held in another type.
   */
  tensors(names: Iterable<string>, matrices?: HalfType): Promise<Record<string, StoredTensor | StoredHalf>>;
}
