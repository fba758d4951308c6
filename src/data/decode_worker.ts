/** The thread of the decode pool: one message with files in, one message with their pixels out. */
import { parentPort } from 'node:worker_threads';
import { decodeFiles } from './decode.js';
import type { DecodeJob, DecodeReply } from './decode_pool.js';

parentPort!.on('message', ({ id, files, imageShape }: DecodeJob) => {
  decodeFiles(files, imageShape).then(
    (pixels) => parentPort!.postMessage({ id, pixels } satisfies DecodeReply, [pixels.buffer]),
    (error: Error & { fix?: string }) => {
      const [message] = error.message.split('\nfix: ');
      parentPort!.postMessage({ id, message, fix: error.fix } satisfies DecodeReply);
    },
  );
});
