// What people may do with an execution as a whole.

/** Operations by name, in the order that help and refusals list them. */
export const OPERATIONS = ['cancel', 'pause', 'resume', 'terminate', 'retry', 'fork', 'reset'] as const;

export type Operation = (typeof OPERATIONS)[number];

/** What can be done with an execution in each of its statuses. A retry also needs a task that faulted. */
const POSSIBLE: Readonly<Record<string, readonly Operation[]>> = {
  running: ['cancel', 'pause', 'terminate', 'fork', 'reset'],
  suspended: ['cancel', 'resume', 'terminate', 'fork', 'reset'],
  completed: ['fork', 'reset'],
  faulted: ['retry', 'fork', 'reset'],
  cancelled: ['fork', 'reset'],
};

/** Operations that are possible in a status; none where it is not known. `waiting` is running without a job. */
export const possibleIn = (status: string): readonly Operation[] => POSSIBLE[status === 'waiting' ? 'running' : status] ?? [];

/** Whether a text names an operation. */
export const isOperation = (text: string): text is Operation => (OPERATIONS as readonly string[]).includes(text);
