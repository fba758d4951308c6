import { adapterHint, adapterNames, backendName, gpu, preferredAdapter } from '#platform';
import { DeviceError } from '../errors.js';

export interface DeviceOptions {
  powerPreference?: 'low-power' | 'high-performance';
  /** Part of the name, vendor, architecture or description that the adapter must have; case is ignored. */
  adapter?: string;
  /** Seed of every random stream of the device. Default 0. */
  seed?: number;
  /** Opens a device that validates but computes nothing, for shapes and counts. */
  isNull?: boolean;
  /**
   * False runs bias, residual, activation and the parts of softmaxCrossEntropy as separate ops. Default
   * true, unless TILEGRAD_FUSION is off.
   */
  fusion?: boolean;
}

export interface DeviceInfo {
  vendor: string;
  architecture: string;
  description: string;
  backend: string;
  isSoftware: boolean;
  /** Fewest and most lanes a subgroup may have; 0 where the adapter has no subgroups. */
  subgroupMinSize: number;
  subgroupMaxSize: number;
  /** Matrix shapes that the adapter's subgroups can multiply; empty without that feature. */
  subgroupMatrixConfigs: SubgroupMatrixConfig[];
  features: string[];
  limits: Record<string, number>;
}

/** Results of M×N from matrices M×K and K×N, and their element types. */
interface SubgroupMatrixConfig {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
}

/** Features requested wherever the adapter has them. */
const WANTED_FEATURES = [
  'shader-f16',
  'subgroups',
  'timestamp-query',
  'subgroup-size-control',
  'chromium-experimental-subgroup-matrix',
] as const;

/*
 * Not "software": Dawn calls every Mesa driver without a hardware vendor number that, and so an
 * Apple GPU under Linux too.
 */
const SOFTWARE = /llvmpipe|swiftshader|lavapipe|\bwarp\b|basic render/i;

/** Limits requested at the adapter's maximum instead of WebGPU's defaults. */
const WANTED_LIMITS = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
  'maxUniformBufferBindingSize',
] as const;

interface OpenedDevice {
  adapter: GPUAdapter;
  device: GPUDevice;
  info: DeviceInfo;
}

/**
 * Chooses an adapter and opens a device with the adapter's own limits and all features we use.
 *
 * Errors: DeviceError if no adapter is there, or none whose name contains `adapter`.
 */
export async function openGpuDevice(options: DeviceOptions): Promise<OpenedDevice> {
  const wanted = options.isNull ? undefined : (options.adapter ?? preferredAdapter());
  const offered = new Set<string>();
  const preferences: GPUPowerPreference[] = options.powerPreference
    ? [options.powerPreference]
    : ['high-performance', 'low-power'];
  for (const powerPreference of preferences) {
    const entry = gpu({ isNull: options.isNull ?? false });
    const adapter = await entry.requestAdapter({ powerPreference });
    if (!adapter) continue;
    if (!wanted || contains(nameOf(adapter.info), wanted)) return open(adapter);
    offered.add(nameOf(adapter.info));
  }
  if (!wanted) throw new DeviceError('device: no WebGPU adapter was found', adapterHint());
  // Dawn offers the same adapter for every power preference; others can only be requested by name.
  const names = await adapterNames();
  for (const name of names) {
    const adapter = await gpu({ adapter: name }).requestAdapter();
    if (adapter && contains(`${name} ${nameOf(adapter.info)}`, wanted)) return open(adapter);
  }
  const found = names.length > 0 ? names : [...offered];
  if (found.length === 0)
    throw new DeviceError('device: no WebGPU adapter was found', adapterHint());
  throw new DeviceError(
    `device: no adapter contains "${wanted}"; found ${found.map((name) => `"${name.trim()}"`).join(', ')}`,
    'pass part of one of these names to --adapter or TILEGRAD_ADAPTER',
  );
}

async function open(adapter: GPUAdapter): Promise<OpenedDevice> {
  return { adapter, ...(await requestDevice(adapter)) };
}

function contains(name: string, part: string): boolean {
  return name.toLowerCase().includes(part.toLowerCase());
}

function nameOf(info: GPUAdapterInfo): string {
  return [info.vendor, info.architecture, info.device, info.description].filter(Boolean).join(' ');
}

async function requestDevice(
  adapter: GPUAdapter,
): Promise<{ device: GPUDevice; info: DeviceInfo }> {
  const requiredFeatures = WANTED_FEATURES.filter((name) => adapter.features.has(name));
  const available = adapter.limits as unknown as Record<string, number | undefined>;
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) {
    const value = available[name];
    if (typeof value === 'number') requiredLimits[name] = value;
  }
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({
      requiredFeatures: requiredFeatures as GPUFeatureName[],
      requiredLimits,
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DeviceError(`device: ${nameOf(adapter.info)} refused a device: ${why}`);
  }
  const limits: Record<string, number> = {};
  const got = device.limits as unknown as Record<string, number | undefined>;
  for (const name in got) if (typeof got[name] === 'number') limits[name] = got[name];
  return { device, info: describe(adapter.info, device, limits) };
}

/** Whether the adapter computes on the CPU. Some runtimes do not report fallback adapters. */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter === true || SOFTWARE.test(nameOf(info));
}

function describe(
  info: GPUAdapterInfo,
  device: GPUDevice,
  limits: Record<string, number>,
): DeviceInfo {
  const { backend, subgroupMatrixConfigs = [] } = info as GPUAdapterInfo & {
    backend?: string;
    subgroupMatrixConfigs?: SubgroupMatrixConfig[];
  };
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    description: info.device && !info.description ? info.device : info.description,
    backend: backend ?? backendName(),
    isSoftware: isSoftwareAdapter(info),
    subgroupMinSize: info.subgroupMinSize ?? 0,
    subgroupMaxSize: info.subgroupMaxSize ?? 0,
    subgroupMatrixConfigs: subgroupMatrixConfigs.map(
      ({ componentType, resultComponentType, M, N, K }) => ({
        ...{ componentType, resultComponentType, M, N, K },
      }),
    ),
    features: [...device.features].sort(),
    limits,
  };
}
