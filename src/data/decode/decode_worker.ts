/** The thread of the decode pool: one message with files in, one message with their pixels out. */
import { parentPort } from 'node:worker_threads';
import { decodeEach } from './decode.js';
import type { DecodeJob, DecodeReply } from './decode_pool.js';

parentPort!.on('message', ({ id, files, imageShape }: DecodeJob) => {
  decodeEach(files, imageShape).then(
    (decoded) =>
      parentPort!.postMessage({ id, decoded } satisfies DecodeReply, [decoded.pixels.buffer]),
    (error: Error) => parentPort!.postMessage({ id, message: error.message } satisfies DecodeReply),
  );
});
