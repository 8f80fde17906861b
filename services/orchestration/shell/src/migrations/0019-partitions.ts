import { engineRole } from '@weft/adapter-postgres';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const CREATE = 'orchestration.create_history_partitions()';
const DROP = 'orchestration.drop_history_partition(text)';

/**
 * Partitions of the history are made ahead and retired by whoever runs orchestration, which owns no table: two functions of the
 * owner do just that. Row-level security hides every execution from the owner, so whoever drops a partition looks first.
 */
export class Partitions1700000000019 implements MigrationInterface {
  readonly name = 'Partitions1700000000019';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create function ${CREATE} returns void language plpgsql security definer set search_path = pg_catalog as $$
      declare
        month timestamp := date_trunc('month', now() at time zone 'UTC');
        name text;
        ids text[];
      begin
        -- Two at a time would wait for each other's locks.
        if not pg_try_advisory_xact_lock(7303014019) then return; end if;
        for ahead in 0..6 loop
          name := 'history_' || to_char(month, 'YYYY_MM');
          if to_regclass('orchestration.' || name) is null then
            select array_agg(substr(hex, 1, 8) || '-' || substr(hex, 9) || '-0000-0000-000000000000' order by at) into ids
            from (select at, lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') as hex from unnest(array[month, month + interval '1 month']) as at) bounds;
            begin
              -- A row of up to a page stays as it is: compressing one of 4 KB costs as much as all else that is done with it.
              execute format('create table orchestration.%I partition of orchestration.history for values from (%L) to (%L) with (toast_tuple_target = 8160)', name, ids[1], ids[2]);
            exception when check_violation then
              raise notice '% stays in history_rest', name;
            end;
          end if;
          month := month + interval '1 month';
        end loop;
      end $$;
      create function ${DROP} returns void language plpgsql security definer set search_path = pg_catalog as $$
      begin
        if $1 !~ '^history_[0-9]{4}_[0-9]{2}$' or $1 >= 'history_' || to_char(now() at time zone 'UTC', 'YYYY_MM') then
          raise exception 'Expected a partition of a month that is over but got %.', $1 using errcode = 'invalid_parameter_value';
        end if;
        execute format('drop table orchestration.%I', $1);
      end $$;
      revoke execute on function ${CREATE} from public;
      revoke execute on function ${DROP} from public;
      grant execute on function ${CREATE} to ${engineRole('orchestration')};
      grant execute on function ${DROP} to ${engineRole('orchestration')};
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop function ${CREATE}; drop function ${DROP}`);
  }
}
