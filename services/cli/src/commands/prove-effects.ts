import { InvalidArgumentError, type Command } from 'commander';
import type { Profile } from '../processes/profile.js';
import { EFFECT_PLANTS, FACES, proveEffects, type EffectPlant } from '../prove/effects.js';
import { wholeNumber, withExamples } from './command.js';
import { carryOut, withCommon, withProfile, type Flags } from './proof.js';

export function registerProveEffects(prove: Command): void {
  const command = prove
    .command('effects')
    .description('Lose the answers of effects that were done, over HTTP, MCP and gRPC: no effect twice, none retried blindly, none told to have failed')
    .option('--faults <n>', 'effects whose answer gets lost', wholeNumber(7, 1_000_000), 1_000)
    .option('--over <transports>', `transports, separated by commas: ${FACES.join(', ')}`, facesOf, [...FACES]);
  withCommon(withProfile(command), EFFECT_PLANTS, 'which fault meets which call follows from it')
    .addHelpText(
      'after',
      '\nThe effects go to a counting server: a process of its own that shares no code with Weft. It does what it is asked, and then cuts the connection, says 500, or says nothing.',
    )
    .action((flags: Flags<EffectPlant> & { readonly faults: number; readonly over: readonly string[]; readonly profile: Profile }) => carryOut(flags, (told) => proveEffects({ ...flags, ...told })));
  withExamples(command, [
    ['./weft prove effects', 'a thousand lost answers, about half a minute'],
    ['./weft prove effects --faults 10000 --json', 'ten thousand; one JSON line'],
    ['./weft prove effects --plant blind-retry', 'must fail: what may have happened is sent again'],
    ['./weft prove effects --plant lost-is-failed', 'must fail: a lost answer is taken for a failure'],
  ]);
}

function facesOf(text: string): readonly string[] {
  const faces = text.split(',').map((face) => face.trim());
  if (!faces.every((face) => FACES.some((known) => known === face))) throw new InvalidArgumentError(`Expected some of ${FACES.join(', ')}.`);
  return faces;
}
