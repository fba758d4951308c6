import type { DeviceInfo } from './adapter.js';
import { DeviceError, oneLine } from './errors.js';

/** Tells `fail` when the device is lost, and of errors that no call gets to see. */
export function watchDevice(
  device: GPUDevice,
  { description }: Pick<DeviceInfo, 'description'>,
  fail: (error: DeviceError) => void,
): void {
  void device.lost.then(({ reason, message }) =>
    fail(
      new DeviceError(
        `device: ${description} was lost (${reason}): ${oneLine(message)}`,
        'a kernel ran too long or memory ran out: lower the batch size, then continue with --resume',
      ),
    ),
  );
  device.onuncapturederror = (event) => {
    event.preventDefault();
    fail(new DeviceError(`device: ${event.error.message}`));
  };
}
