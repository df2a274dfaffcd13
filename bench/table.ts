import { createHash } from 'node:crypto';
import { TABLE_NAME } from './aws';
import type { Contestant } from './contestant';
import { type Costs, measureCosts } from './cost';
import { progress } from './statistics';

/** What operations cost while the table holds few records, and while it holds many. */
export async function measureTable(
  contestant: Contestant,
  few: number,
  many: number,
): Promise<{ few: Costs; many: Costs }> {
  await contestant.aws.putAll(TABLE_NAME, records(0, few));
  const before = await measureCosts(contestant);
  const step = Math.ceil((many - few) / 5);
  for (let from = few; from < many; from += step) {
    await contestant.aws.putAll(TABLE_NAME, records(from, Math.min(many, from + step)));
    progress(`  ${Math.min(many, from + step)} of ${many} records`);
  }
  return { few: before, many: await measureCosts(contestant) };
}

/** Clients and grants in turn, as large as real ones. */
function* records(from: number, to: number) {
  for (let i = from; i < to; i++) {
    const hash = createHash('sha256').update(String(i)).digest('base64url');
    const value = { client_id: hash, redirect_uris: ['https://client.example.com/callback'], filler: 'x'.repeat(300) };
    yield {
      pk: { S: i % 2 === 0 ? `client#${hash}` : `grant#${hash}` },
      sk: { S: i % 2 === 0 ? 'value' : '/grant' },
      v: { N: '1' },
      value: { S: JSON.stringify(value) },
      expiresAt: { N: '4102444800' },
    };
  }
}
