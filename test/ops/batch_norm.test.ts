import { describeOp } from '../helpers/battery.js';

describeOp('batch_norm');
