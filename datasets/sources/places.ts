/** @file The files that a dataset's path names: itself, those of a folder, or those that match a pattern. Opens none. */
import { stat } from 'node:fs/promises';
import { glob, isDynamicPattern } from 'tinyglobby';
import { PACKED_ENDINGS, withoutCopies } from '../../formats/index.js';
import { complain } from '../../foundation/index.js';
import { dataFiles, isDataReference } from '../../remote/index.js';

/** Files of a folder that hold rows, packed ones too; others (a README, a licence) are passed over. */
const RECORDS = 'jsonl,ndjson,json,csv,tsv,tab,txt,text';
const DATA_FILES = [
  `**/*.{parquet,arrow,feather,ipc,${RECORDS}}`,
  `**/*.{${RECORDS}}.{${PACKED_ENDINGS.join(',')}}`,
];
/** What Hugging Face folders hold beside their data. */
const NO_DATA = ['**/dataset_info{s,}.json', '**/dataset_dict.json', '**/state.json', '**/.*/**', '**/.*'];

/**
 * The files, those of a folder or a pattern sorted by their path, of a dataset of the hub those of its training split.
 * @throws DATASET_MISSING where a folder or pattern holds no file (a missing file is found when it is opened); HUB_*.
 */
export async function filesOf(place: string | readonly string[]): Promise<string[]> {
  if (typeof place !== 'string') return (await Promise.all(place.map((each) => filesOf(each)))).flat();
  if (isDataReference(place)) return dataFiles(place);
  if (/^https?:\/\//i.test(place)) return [place];
  const found = await stat(place).catch(() => undefined);
  if (found && !found.isDirectory()) return [place];
  if (!found && !isDynamicPattern(place)) return [place];
  const files = found
    ? withoutCopies(
        await glob(DATA_FILES, { cwd: place, absolute: true, ignore: NO_DATA, caseSensitiveMatch: false }),
      )
    : await glob(place, { absolute: true, expandDirectories: false });
  if (files.length > 0) return files.sort((a, b) => (a < b ? -1 : 1));
  return complain({
    code: 'DATASET_MISSING',
    owner: `dataset ${place}`,
    expected: found ? 'a folder with data files' : 'a pattern that matches files',
    got: 'none',
    hint: 'check the path; relative paths start at the working directory',
  });
}
