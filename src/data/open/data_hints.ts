import { basename } from 'node:path';
import type { Fix } from '../../errors.js';

/* What to do where a name or a folder turns out to hold no data. */

const MNIST = /mnist/i;
const DRAWN: Fix = { program: `'builtin:digits'`, commandLine: '--data builtin:digits' };

/**
 * Of a path that does not exist. MNIST is offered only to those who asked for it: a photo folder
 * whose name was mistyped is no place to download it to.
 */
export function missingDataFix(path: string): Fix {
  const advise = (drawn: string): string =>
    MNIST.test(basename(path))
      ? `tilegrad data download mnist --dir ${path}, or use ${drawn}`
      : `check the path, or use ${drawn}; a folder of your own holds one folder of images a class`;
  return { program: advise(DRAWN.program), commandLine: advise(DRAWN.commandLine) };
}

/**
 * Turns SVHN's cropped digits into arrays that are read: X is [height, width, channels, image],
 * y counts from 1 and writes 10 for the digit 0.
 */
const FROM_SVHN =
  'python3 -c "import numpy as n, scipy.io as s; ' +
  "[(n.save('x_'+p, m['X'].transpose(3,0,1,2)), n.save('y_'+p, m['y'].ravel()%10)) " +
  "for p in ('train','test') for m in [s.loadmat(p+'_32x32.mat')]]\"";

const isMat = (name: string): boolean => /\.mat$/i.test(name);

/** Of a folder, or a file, that holds nothing that is read; `files` are the names in it. */
export function unknownDataFix(path: string, files: readonly string[]): string {
  if ([basename(path), ...files].some(isMat)) {
    return `convert the .mat files into .npy arrays; SVHN's, in their folder: ${FROM_SVHN}`;
  }
  if (MNIST.test(basename(path))) return `tilegrad data download mnist --dir ${path}`;
  return (
    'put the images of each class into a folder of its own, and name the folder that holds these ' +
    'folders'
  );
}
