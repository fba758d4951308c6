import { describeOp } from '../helpers/battery.js';

describeOp('transpose');
