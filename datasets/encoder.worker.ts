/** @file The thread that encodes rows. Loaded by `encoder.threads.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { createChatTemplate } from './chat/chat.js';
import { encodeRows } from './encode.js';
import type { EncoderReply, EncoderRequest, EncoderThreadData } from './encoder.threads.js';
import { createTokenizer } from './chat/tokenizer.js';

const { files, template, options } = workerData as EncoderThreadData;
const chat = createChatTemplate(
  template.source,
  createTokenizer(files.definition, files.config, template.owner),
  template,
);

parentPort?.on('message', ({ id, rows }: EncoderRequest) => {
  const encoded = encodeRows(rows, chat, options).map((each) =>
    'error' in each ? { complaint: each.error.complaint } : each,
  );
  parentPort?.postMessage({ id, encoded } satisfies EncoderReply);
});
