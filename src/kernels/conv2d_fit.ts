import type { DeviceInfo } from '../gpu/adapter.js';
import type { DType } from '../gpu/array.js';
import type { Conv2dGeometry, Conv2dTypes } from './conv2d_geometry.js';
import { columnBytes } from './conv2d_columns.js';
import { haloOf } from './conv2d_lanes.js';
import { winogradBytes, type WinogradTile } from './conv2d_winograd.js';

/** Which kernels of a convolution exist, and what each of them needs. */
export type Conv2dDirection = 'forward' | 'gradInput' | 'gradWeight';
export type Conv2dVariant =
  | 'naive'
  | 'tiled'
  | 'matmul'
  | 'winograd2'
  | 'winograd4'
  | 'subgroupMatrix'
  | 'columns'
  | 'shuffle'
  | 'few'
  | 'wide';

/** Why a variant cannot compute a direction, or null where it can. */
type FitRule = (geometry: Conv2dGeometry, info: DeviceInfo, types: Conv2dTypes) => string | null;

const always: FitRule = () => null;

const rules: Record<Conv2dVariant, Partial<Record<Conv2dDirection, FitRule>>> = {
  naive: { forward: always, gradInput: always, gradWeight: always },
  tiled: { forward: always, gradInput: always, gradWeight: always },
  matmul: {
    forward: (g, _info, { x }) => needsPointwise(g) ?? needsPickable(g, x),
    gradInput: needsPointwise,
    gradWeight: (g, _info, { x }) => needsPointwise(g) ?? needsPickable(g, x),
  },
  winograd2: {
    forward: (g, info) => needsWinograd(g, 2, info),
    gradInput: (g, info) => needsWinograd(g, 2, info),
    gradWeight: (g, info) => needsWinograd(g, 2, info),
  },
  winograd4: {
    forward: (g, info) => needsWinograd(g, 4, info),
    gradInput: (g, info) => needsWinograd(g, 4, info),
  },
  // The gradients round dy, which is f32.
  subgroupMatrix: {
    forward: (g, info, { x, w }) => needsSubgroupMatrix(g, info, [x, w]),
    gradInput: (g, info, { w }) => needsSubgroupMatrix(g, info, [w]),
    gradWeight: (g, info, { x }) => needsSubgroupMatrix(g, info, [x]),
  },
  columns: { gradInput: needsColumns },
  shuffle: {
    forward: (g, info) => needsLanes(info, g) ?? needsNarrow(g) ?? needsMultiples(g, 'c', 'k'),
    // Input and output change places.
    gradInput: (g, info) => needsLanes(info, g) ?? needsNarrow(g) ?? needsMultiples(g, 'k', 'c'),
    gradWeight: (g, info) => needsLanes(info, g) ?? needsMultiple(g, 'k', 4),
  },
  few: {
    forward: (g, info) => needsLanes(info, g) ?? needsNarrow(g) ?? needsMultiple(g, 'k', 4),
    gradWeight: (g, info) => needsLanes(info, g) ?? needsMultiple(g, 'k', 4),
  },
  // Another variant, on operands that were made f32.
  wide: { forward: needsF16, gradInput: needsF16, gradWeight: needsF16 },
};

export const conv2dVariantNames = Object.keys(rules) as Conv2dVariant[];

/** The others read vectors of f32. */
const readsF16: readonly Conv2dVariant[] = ['naive', 'tiled', 'matmul', 'subgroupMatrix', 'wide'];

/** Why a variant cannot compute a direction of a convolution, or null where it can. */
export function whyNot(
  variant: Conv2dVariant,
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types: Conv2dTypes,
): string | null {
  if (!(variant in rules)) return 'there is no such kernel';
  const isF16 = types.x === 'f16' || types.w === 'f16';
  if (isF16 && !readsF16.includes(variant)) return 'it needs operands of f32';
  const rule = rules[variant][direction];
  return rule ? rule(geometry, info, types) : 'it does not compute this direction';
}

/** The kernels treat the index in a workgroup of 8 as the lane, so no other size will do. */
function needsLanes(info: DeviceInfo, g: Conv2dGeometry): string | null {
  if (!info.features.includes('subgroups')) return 'it needs the feature subgroups';
  if (info.subgroupMinSize !== 8 || info.subgroupMaxSize !== 8) {
    return `it needs subgroups of exactly 8 lanes, this adapter has ${info.subgroupMinSize} to ${info.subgroupMaxSize}`;
  }
  return g.groups === 1 ? null : `it needs groups=1, got ${g.groups}`;
}

function needsPointwise(g: Conv2dGeometry): string | null {
  if (g.r !== 1 || g.s !== 1) return `it needs a 1×1 filter, got ${g.r}×${g.s}`;
  const padding = g.padTop + g.padBottom + g.padLeft + g.padRight;
  if (padding > 0) return 'it needs an image without padding';
  return g.groups === 1 ? null : `it needs groups=1, got ${g.groups}`;
}

/** Pixels are picked as f32. */
function needsPickable(g: Conv2dGeometry, x: DType): string | null {
  return x === 'f32' ? null : needsStride1(g);
}

function needsWinograd(g: Conv2dGeometry, tile: WinogradTile, info: DeviceInfo): string | null {
  if (g.r !== 3 || g.s !== 3) return `it needs a 3×3 filter, got ${g.r}×${g.s}`;
  return (
    needsUnitSteps(g) ??
    needsMultiple(g, 'c', 4) ??
    needsMultiple(g, 'k', 4) ??
    needsBuffer(winogradBytes(g, tile), info)
  );
}

function needsBuffer(bytes: number, info: DeviceInfo): string | null {
  const most = info.limits.maxStorageBufferBindingSize ?? 2 ** 27;
  return bytes <= most ? null : `it needs a buffer of ${bytes} bytes, this adapter allows ${most}`;
}

const MATRIX_FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];

function needsSubgroupMatrix(g: Conv2dGeometry, info: DeviceInfo, operands: readonly DType[]) {
  for (const feature of MATRIX_FEATURES) {
    if (!info.features.includes(feature)) return `it needs the feature ${feature}`;
  }
  if (info.subgroupMinSize !== 32 || info.subgroupMaxSize !== 32) {
    return `it needs subgroups of exactly 32 lanes, this adapter has ${info.subgroupMinSize} to ${info.subgroupMaxSize}`;
  }
  const hasMatrix = info.subgroupMatrixConfigs.some(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === 'f16' && resultComponentType === 'f32' && M === 16 && N === 16 && K === 16,
  );
  if (!hasMatrix) return 'it needs subgroup matrices f16 16×16×16 with results of f32';
  if (operands.some((type) => type !== 'f16')) return 'it needs operands of f16';
  if ((g.c / g.groups) % 4 === 0 && (g.k / g.groups) % 4 === 0) return null;
  return `it needs C and K of a group to be multiples of 4, got ${g.c / g.groups} and ${g.k / g.groups}`;
}

function needsF16(_g: Conv2dGeometry, _info: DeviceInfo, types: Conv2dTypes): string | null {
  return types.x === 'f16' || types.w === 'f16' ? null : 'it needs an operand of f16';
}

function needsStride1(g: Conv2dGeometry): string | null {
  if (g.groups !== 1) return `it needs groups=1, got ${g.groups}`;
  if (g.strideH === 1 && g.strideW === 1) return null;
  return `it needs stride 1, got ${g.strideH}×${g.strideW}`;
}

/** The widest row of pixels that still stays in registers: 8 outputs of a 7×7 filter of stride 2. */
const MOST_COLUMNS = 21;

function needsNarrow(g: Conv2dGeometry): string | null {
  const columns = haloOf(g, 8);
  if (columns <= MOST_COLUMNS) return null;
  return `it needs 8 outputs to span at most ${MOST_COLUMNS} columns, S=${g.s} with stride ${g.strideW} and dilation ${g.dilationW} span ${columns}`;
}

/** More channels fill the tiles of other kernels, and the columns would be many. */
const MOST_CHANNELS = 16;

function needsColumns(g: Conv2dGeometry, info: DeviceInfo): string | null {
  if (g.groups !== 1) return `it needs groups=1, got ${g.groups}`;
  if (g.c > MOST_CHANNELS) return `it needs C ≤ ${MOST_CHANNELS}, got ${g.c}`;
  return needsBuffer(columnBytes(g), info);
}

function needsUnitSteps(g: Conv2dGeometry): string | null {
  const reason = needsStride1(g);
  if (reason !== null) return reason;
  if (g.dilationH === 1 && g.dilationW === 1) return null;
  return `it needs dilation 1, got ${g.dilationH}×${g.dilationW}`;
}

/** Channels that are summed come 8 at a time, one a lane; those computed are written as vec4. */
function needsMultiples(g: Conv2dGeometry, summed: 'c' | 'k', computed: 'c' | 'k') {
  return needsMultiple(g, summed, 8) ?? needsMultiple(g, computed, 4);
}

function needsMultiple(g: Conv2dGeometry, letter: 'c' | 'k', divisor: number): string | null {
  if (g[letter] % divisor === 0) return null;
  return `it needs ${letter.toUpperCase()} to be a multiple of ${divisor}, got ${g[letter]}`;
}
