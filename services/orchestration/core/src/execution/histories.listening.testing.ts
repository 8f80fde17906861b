// Executions that listen, run to where their history is to be kept.
import { running, type Running } from '../interpreter/running.testing.js';

const http = (name: string): object => ({ [name]: { call: 'http', with: { method: 'get', endpoint: 'https://example.test' } } });

export const LISTENING_HISTORIES: Readonly<Record<string, () => Running>> = {
  'listen-to-all-half-heard': () => {
    const byOrder = (type: string): object => ({ with: { type }, correlate: { order: { from: '.data.order' } } });
    const run = running({ do: [{ both: { listen: { to: { all: [byOrder('paid'), byOrder('sent')] } } } }] }, {}).start();
    run.signal({ id: 'e1', type: 'sent', data: { order: 7 } });
    return run;
  },
  'foreach-of-a-listen-under-way': () => {
    const to = { any: [{ with: { type: 'reading' } }], until: { one: { with: { type: 'over' } } } };
    const foreach = { do: [http('judge')], output: { as: '{ got: ., of: $item }' }, export: { as: '{ last: . }' } };
    const run = running({ do: [{ hear: { listen: { to }, foreach } }] }, {}).start();
    for (const id of ['e1', 'e2', 'e3']) run.signal({ id, type: 'reading', data: id });
    run.complete('/do/0/hear/foreach/do/0/judge#2[0]', { n: 1 });
    return run;
  },
  'listen-until-a-condition': () => {
    const run = running({ do: [{ hear: { listen: { to: { any: [], until: '(. | length) == 2' }, read: 'envelope' } } }] }, {}).start();
    for (const id of ['e1', 'e2']) run.signal({ id, data: id });
    return run;
  },
  'foreach-of-a-subscription-under-way': () => {
    const foreach = { item: 'message', do: [http('judge')], output: { as: '{ got: ., of: $message.payload }' }, export: { as: '{ last: . }' } };
    const subscription = { filter: '${ .payload != $context.unwanted }', consume: { until: '${ $context.last.got == "enough" }', for: { hours: 1 } }, foreach };
    const run = running({ do: [{ hear: { call: 'asyncapi', with: { document: { endpoint: 'https://example.test' }, operation: 'hear', subscription } } }] }, {}).start();
    const judge = (n: number, got: string): unknown => run.complete(`/do/0/hear/with/subscription/foreach/do/0/judge#2[${n}]`, got);
    run.complete('/do/0/hear', { messages: [], position: { 0: '41' } });
    run.complete('/do/0/hear', { messages: ['a', 'b'].map((payload) => ({ payload, headers: {} })), position: { 0: '43' } });
    judge(0, 'more');
    judge(1, 'more');
    run.complete('/do/0/hear', { messages: ['c', 'd'].map((payload) => ({ payload, headers: {}, correlationId: 'x' })), position: { 0: '45' } });
    return run;
  },
  'subscription-that-gathered-until-its-time': () => {
    const subscription = { consume: { while: '${ (. | length) < 9 }', for: { seconds: 5 } } };
    const run = running({ do: [{ hear: { call: 'asyncapi', with: { document: { endpoint: 'https://example.test' }, operation: 'hear', subscription } } }] }, {}).start();
    run.complete('/do/0/hear', { messages: [{ payload: 1, headers: {} }], position: {} });
    run.passUntil(run.now + 5_000);
    run.complete('/do/0/hear', { messages: [{ payload: 2, headers: {} }], position: {} });
    return run;
  },
};
