// Prints the description of the adapter Dawn chooses; exits with 1 when there is none. Run as a child by setup.mjs.

import { create } from 'webgpu';

// Kept referenced: Dawn crashes when its instance is collected while it is in use.
const instance = create([]);
const adapter = await instance.requestAdapter();
if (!adapter) process.exit(1);
const device = await adapter.requestDevice();
device.destroy();
const { description, device: name, vendor } = adapter.info;
process.stdout.write(`${[name, description].filter(Boolean).join(', ') || vendor}\n`);
Object.assign(globalThis, { instance });
process.exitCode = 0;
setImmediate(() => process.exit());
