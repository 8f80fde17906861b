// Loaded into the processes that a command starts: when the command is gone, however it went, they end as well.
const end = (): void => void process.kill(process.pid, 'SIGTERM');

// Nobody reads what is written from then on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// Listening for the parent's end alone is no reason to go on running, hence `unref`.
if (process.connected) {
  process.on('disconnect', end);
  process.channel?.unref();
} else {
  process.stdin.on('end', end).resume();
  (process.stdin as typeof process.stdin & { unref?: () => void }).unref?.();
}

export {};
