import { DeviceError, oneLine } from '../errors.js';
import type { DeviceInfo } from './adapter.js';

/** Calls `fail` when the device is lost, and for errors that no call reports. */
export function watchDevice(
  device: GPUDevice,
  { description }: Pick<DeviceInfo, 'description'>,
  fail: (error: DeviceError) => void,
): void {
  void device.lost.then(({ reason, message }) =>
    fail(
      new DeviceError(`device: ${description} was lost (${reason}): ${oneLine(message)}`, {
        program:
          'a kernel ran too long or memory ran out: lower the batch size, then go on from the last checkpoint',
        commandLine:
          'a kernel ran too long or memory ran out: use a smaller --batch-size or --input',
      }),
    ),
  );
  device.onuncapturederror = (event) => {
    event.preventDefault();
    fail(new DeviceError(`device: ${event.error.message}`));
  };
}
