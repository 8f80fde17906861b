// Mistakes between the bus and the store: acknowledging, publishing, finding again, setting aside.
import type { PlantedBug } from './planted-bug.js';

export const DELIVERY_BUGS: readonly PlantedBug[] = [
  {
    name: 'acknowledged-before-commit',
    mistake: 'the offset moves as soon as a batch is taken, whether or not it is durable yet',
    foundWithin: 300,
    wrong: {
      take: (batch, handle) => {
        void handle(batch).catch(() => undefined);
        return Promise.resolve();
      },
    },
  },
  {
    name: 'offset-past-a-failed-record',
    mistake: 'a batch that failed is logged, and the offset moves on',
    foundWithin: 300,
    wrong: { take: (batch, handle) => handle(batch).catch(() => undefined) },
  },
  {
    name: 'commits-found-by-last-id',
    mistake: 'recovery remembers the last commit it has seen and asks for greater ids, but a commit may become visible late',
    foundWithin: 300,
    wrong: {
      unpublished: (rows, walk) => {
        const found = rows.filter(({ id }) => id > walk.lastSeen);
        for (const { id } of found) if (id > walk.lastSeen) walk.lastSeen = id;
        return found.filter(({ published }) => !published);
      },
    },
  },
  {
    name: 'marked-before-told',
    mistake: 'a commit is marked as published first, and published then',
    foundWithin: 300,
    wrong: {
      tell: async (announce, mark) => {
        mark();
        await announce();
      },
    },
  },
  {
    name: 'never-dispatched-again',
    mistake: 'jobs of executions that make no progress are not dispatched again',
    foundWithin: 50,
    wrong: { silent: () => [] },
  },
  {
    name: 'the-gone-keep-their-share',
    mistake: 'a replica that was heard of once counts as present for ever, and nobody looks after its buckets',
    foundWithin: 100,
    wrong: { isPresent: () => true },
  },
  {
    name: 'dead-letter-dropped',
    mistake: 'a message that cannot be read is skipped, and set aside nowhere',
    foundWithin: 50,
    wrong: { setAside: () => Promise.resolve() },
  },
  {
    name: 'request-name-not-unique',
    mistake: 'a request that comes again under its name is stored again',
    foundWithin: 100,
    wrong: { isTaken: () => false },
  },
  {
    name: 'audit-leaf-skipped',
    mistake: 'the sequencer takes commits with greater ids than the last leaf, so that one which commits late is in no log',
    foundWithin: 100,
    wrong: {
      unsequenced: (rows) => {
        const last = rows.reduce((greatest, { id, sequenced }) => (sequenced !== undefined && id > greatest ? id : greatest), '');
        return rows.filter(({ id, sequenced }) => sequenced === undefined && id > last);
      },
    },
  },
];
