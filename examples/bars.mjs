// Data for the examples: noisy 12×12 images of a bar that lies (class 0), stands (1) or is crossed by another (2).

export const SIZE = 12;
export const CLASSES = ['lying', 'standing', 'crossed'];

/** Numbers in [0, 1) that a seed repeats: a counter whose bits are stirred. */
function generator(seed) {
  let counter = Math.imul(seed, 0x2545f491);
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let bits = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** `count` images [count, 12, 12, 1] and their labels [count]. */
export function bars(count, seed) {
  const random = generator(seed);
  const images = new Float32Array(count * SIZE * SIZE);
  const labels = new Int32Array(count);
  for (let n = 0; n < count; n++) {
    labels[n] = Math.floor(random() * CLASSES.length);
    const row = 2 + Math.floor(random() * (SIZE - 4));
    const column = 2 + Math.floor(random() * (SIZE - 4));
    for (let i = 0; i < SIZE * SIZE; i++) {
      const isLying = Math.floor(i / SIZE) === row && labels[n] !== 1;
      const isStanding = i % SIZE === column && labels[n] !== 0;
      images[n * SIZE * SIZE + i] = (isLying || isStanding ? 1 : 0) + 0.3 * (random() - 0.5);
    }
  }
  return { images, labels };
}
