// Suites that need a server run when its address is known, and say so when it is not.
import { describe, expect, it } from 'vitest';

/** A server that a suite needs, and where it is. */
export interface ServerUnderTest {
  readonly name: 'kafka' | 'redis' | 'postgres';
  /** The environment variable that names the address. */
  readonly variable: string;
  /** `host:port`; undefined when the environment names none. */
  readonly address: string | undefined;
  /** Whether doing without it is a failure: `WEFT_REQUIRE` lists it. */
  readonly isRequired: boolean;
}

/** What the environment says about a server: its address in `WEFT_KAFKA`, `WEFT_REDIS`, ...; `WEFT_REQUIRE` is a comma list of names. */
export function serverUnderTest(name: ServerUnderTest['name'], environment: Readonly<Record<string, string | undefined>> = process.env): ServerUnderTest {
  const variable = `WEFT_${name.toUpperCase()}`;
  const required = (environment['WEFT_REQUIRE'] ?? '').split(',').map((each) => each.trim());
  return { name, variable, address: environment[variable] || undefined, isRequired: required.includes(name) };
}

/**
 * Describes a suite against a server. Without an address the suite is skipped, with the reason in its title; when the
 * server is required, a failing test stands for it.
 */
export function describeAgainst(server: ServerUnderTest | undefined, title: string, suite: () => void): void {
  if (server === undefined || server.address !== undefined) return void describe(title, suite);
  const reason = `no ${server.name}: set ${server.variable}=host:port to use one that runs`;
  if (server.isRequired) {
    describe(title, () => {
      it('runs, because WEFT_REQUIRE lists its server', () => expect.fail(`Expected a server to run this suite against but there is ${reason}.`));
    });
  } else describe.skip(`${title} (not run: ${reason})`, suite);
}
