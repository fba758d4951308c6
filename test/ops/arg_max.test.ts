import { describeOp } from '../helpers/battery.js';

describeOp('arg_max');
