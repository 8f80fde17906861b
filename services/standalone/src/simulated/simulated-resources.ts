// What documents refer to, where nothing may leave the machine: given as text, or not needed because the call that reads it is answered.
import type { ResolvedResource, ToolsPeer } from '@weft/contracts';
import { isJsonObject, type Json } from '@weft/kernel';
import type { GivenResources } from '@weft/workflow';
import { createHash } from 'node:crypto';

export class SimulatedResources {
  constructor(private readonly given: GivenResources) {}

  /** Fetches nothing. What publish reads itself, a schema or a function, must have been given. */
  readonly resolveResources: ToolsPeer['resolveResources'] = ({ resources }) => Promise.resolve({ resources: resources.map(({ uri, wantsText }) => this.#resolved(uri, wantsText)) });

  /** The arguments of a script with its source in place, where that was given. */
  inPlace(args: Json): Json {
    if (!isJsonObject(args) || !isJsonObject(args['resource'])) return args;
    const code = this.given.get(String(args['resource']['uri']));
    if (code === undefined) return args;
    const { resource: _resource, source: _source, ...rest } = args;
    return { ...rest, code };
  }

  #resolved(uri: string, wantsText: boolean): ResolvedResource {
    const text = this.given.get(uri);
    const problem = wantsText && text === undefined ? `Expected its text under \`resources\` of the answers, as nothing is fetched with --fake, but ${uri} is not there.` : '';
    const digest = createHash('sha256')
      .update(text ?? '')
      .digest('hex');
    return { uri, digest, mediaType: '', bytes: Buffer.byteLength(text ?? ''), text: wantsText ? (text ?? '') : '', problem };
  }
}
