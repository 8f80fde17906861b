// One jq test file in a thread with a stack for its deepest groups.
import { runSuite } from '@weft/jq';
import { parentPort, workerData } from 'node:worker_threads';

parentPort?.postMessage(runSuite(workerData as string));
