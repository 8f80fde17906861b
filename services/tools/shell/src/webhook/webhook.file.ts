// The file that names who is told of what.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Webhook } from '@weft/tools/core';
import { FileInvalid, parsed } from '../registry/files.js';

const webhook = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9._-]{0,99}$/, 'expected 1 to 100 characters of a-z, 0-9, ".", "_" and "-", starting with a letter'),
  tenant: z.string().min(1).default('default'),
  url: z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }),
  secret: z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/, 'expected the name of a secret: letters, digits and _'),
  events: z.array(z.string().min(1)).min(1).default(['ai.weft.review.*']),
  assignees: z.array(z.string().regex(/^(user|key|role):[^\s]{1,100}$/, 'expected user:NAME, key:ID or role:NAME')).default([]),
});
const webhooksFile = z.strictObject({ webhooks: z.array(webhook) });

/** Reads a webhooks file: `webhooks:` with a list of entries. @throws FileInvalid */
export const readWebhooksFile = (path: string): readonly Webhook[] => parseWebhooks(readFileSync(path, 'utf8'), path);

/** Parses the text of a webhooks file. @throws FileInvalid */
export function parseWebhooks(text: string, path: string): readonly Webhook[] {
  const { webhooks } = parsed(webhooksFile, text, path, 'webhooks') as { readonly webhooks: readonly Webhook[] };
  const twice = webhooks.flatMap(({ name, tenant }, index) =>
    webhooks.findIndex((other) => other.name === name && other.tenant === tenant) === index ? [] : [`/webhooks/${index} (${name}) name: another webhook of the tenant has the same`],
  );
  if (twice.length > 0) throw new FileInvalid(path, 'webhooks', twice);
  return webhooks;
}
