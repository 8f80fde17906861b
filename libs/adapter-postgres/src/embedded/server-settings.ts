/**
 * Settings of the embedded server. What is committed must survive a power cut, so fsync, full_page_writes and synchronous_commit are
 * on and said to be. The log of changes may grow to 4 GB between checkpoints: a checkpoint in the middle of a burst costs more than disk.
 */
export const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  cluster_name: 'weft',
  max_connections: '200',
  // What is parked is read once when it is written and once when it is woken: a larger cache is memory and no speed (256 MB, in turn).
  shared_buffers: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_wal_size: '4GB',
  min_wal_size: '512MB',
  // The npm binaries are built without lz4 and zstd.
  wal_compression: 'pglz',
  checkpoint_timeout: '15min',
  jit: 'off',
  track_io_timing: 'off',
  // Histories are only inserted into: vacuum them for the visibility map, rarely; the small busy tables (waits, commits) often.
  autovacuum_naptime: '20s',
  autovacuum_vacuum_scale_factor: '0.1',
  autovacuum_vacuum_insert_scale_factor: '0.4',
  autovacuum_analyze_scale_factor: '0.1',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] %q%u@%d %a ',
  log_timezone: 'UTC',
  timezone: 'UTC',
};
