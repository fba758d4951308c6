import { describeOp } from '../helpers/battery.js';

describeOp('one_hot');
