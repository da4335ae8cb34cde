/** @file A daemon's part of delivering webhooks of a shared queue, until it is killed. Run by webhooks.test.ts. */
import { Courier } from '../../daemon/courier.js';
import { redisAddress } from '../../fleet/address.js';
import { Mail } from '../../fleet/mail.js';
import { openConnection } from '../../fleet/redis.js';

const [queue = '', url = ''] = process.argv.slice(2);
const redis = await openConnection(redisAddress(queue));
const log = () => undefined;
new Courier(new Mail({ redis, shown: queue, log, lease: 1000 }), { log, failed: log }).configure([{ url }]);
setInterval(() => undefined, 1000);
