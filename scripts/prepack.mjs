// Makes what `npm pack` puts into the package: the build, and the declarations of its entries.

import { bundleTypes } from './bundle_types.mjs';
import { setUp } from './setup.mjs';
import { orExit } from './setup_lib.mjs';

orExit(() => setUp({ adapter: false }));
await bundleTypes();
