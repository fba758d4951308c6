// Run by Node, Bun and Deno in a folder where the package is installed: trains a small CNN and prints its losses.

import * as library from 'tilegrad';

const { smallTraining } = await import(`file://${process.argv[2]}`);
const device = await library.createDevice({ seed: 1 });
const losses = await smallTraining(library, device);
const { description } = device.info;
device.destroy();
console.log(JSON.stringify({ description, losses }));
