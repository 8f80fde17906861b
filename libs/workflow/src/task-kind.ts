/** The kinds of task, each by the key that tells it. */
export const TASK_KINDS = ['do', 'set', 'switch', 'call', 'try', 'wait', 'emit', 'raise', 'for', 'fork', 'listen', 'run'] as const;

export type TaskKind = (typeof TASK_KINDS)[number];
