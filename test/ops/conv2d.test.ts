import { describeOp } from '../helpers/battery.js';

describeOp('conv2d');
