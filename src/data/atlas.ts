/**
 * Draws many small pictures in one call of the SVG renderer, since a call costs far more than a
 * picture.
 */
import sharp from 'sharp';

const COLUMNS = 40;
const ROWS = 25;

export interface AtlasJob {
  /** Height and width of a picture. */
  side: number;
  channels: 1 | 3;
  /** How many pictures. */
  count: number;
  /** What goes into the SVG before the pictures: shared shapes. */
  definitions?: string;
  /** SVG of a picture whose left upper corner is there. */
  draw: (index: number, left: number, top: number) => string;
  /** Called with the pixels of each picture, which it may change. */
  finish: (index: number, pixels: Uint8Array) => void;
}

/** Draws pictures; returns their pixels, [count, side, side, channels]. */
export async function drawPictures(job: AtlasJob): Promise<Uint8Array> {
  const { side, channels, count } = job;
  const pictureBytes = side * side * channels;
  const images = new Uint8Array(count * pictureBytes);
  const perAtlas = COLUMNS * ROWS;
  const drawAtlas = async (begin: number): Promise<void> => {
    const end = Math.min(count, begin + perAtlas);
    const atlas = await render(job, begin, end);
    const rowBytes = side * channels;
    for (let index = begin; index < end; index++) {
      const column = (index - begin) % COLUMNS;
      const top = Math.floor((index - begin) / COLUMNS) * side;
      const pixels = images.subarray(index * pictureBytes, (index + 1) * pictureBytes);
      for (let row = 0; row < side; row++) {
        const start = ((top + row) * COLUMNS + column) * rowBytes;
        pixels.set(atlas.subarray(start, start + rowBytes), row * rowBytes);
      }
      job.finish(index, pixels);
    }
  };
  const atlases = Array.from({ length: Math.ceil(count / perAtlas) }, (_, i) => i * perAtlas);
  await Promise.all(atlases.map(drawAtlas));
  return images;
}

async function render(job: AtlasJob, begin: number, end: number): Promise<Buffer> {
  const { side, channels } = job;
  let pictures = '';
  for (let index = begin; index < end; index++) {
    const left = ((index - begin) % COLUMNS) * side;
    const top = Math.floor((index - begin) / COLUMNS) * side;
    pictures += job.draw(index, left, top);
  }
  const height = Math.ceil((end - begin) / COLUMNS) * side;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"` +
    ` width="${COLUMNS * side}" height="${height}"><defs>${job.definitions ?? ''}</defs>` +
    `<rect width="100%" height="100%"/>${pictures}</svg>`;
  const image = sharp(Buffer.from(svg)).flatten();
  return (channels === 1 ? image.extractChannel(0) : image.removeAlpha()).raw().toBuffer();
}
