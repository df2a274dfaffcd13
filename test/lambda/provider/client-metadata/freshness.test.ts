import { afterEach, describe, expect, it, vi } from 'vitest';
import { freshnessOf } from '../../../../lambda/provider/client-metadata/freshness';

const NOW = Date.parse('2026-11-01T12:00:00Z');
const http = (ms: number) => new Date(ms).toUTCString();

afterEach(() => vi.useRealTimers());

describe('a document is fresh', () => {
  it.each<[string, number, Record<string, string>]>([
    ['for five minutes where its host says nothing', 300, {}],
    ['for as long as its host says', 3600, { 'cache-control': 'public, max-age=3600' }],
    ['in any case of letters', 3600, { 'cache-control': 'Public,Max-Age=3600' }],
    ['for what is said to shared caches', 7200, { 'cache-control': 'max-age=3600, s-maxage=7200' }],
    ['less what other caches have used up', 3000, { 'cache-control': 'max-age=3600', age: '600' }],
    ['until its host’s date of expiry', 3600, { expires: http(NOW + 3_600_000) }],
    ['by its host’s own clock', 3600, { date: http(NOW - 600_000), expires: http(NOW + 3_000_000) }],
    ['by max-age before expiry', 600, { 'cache-control': 'max-age=600', expires: http(NOW + 3_600_000) }],
    ['for five minutes at least', 300, { 'cache-control': 'max-age=1' }],
    ['for a day at most', 86_400, { 'cache-control': 'max-age=31536000, immutable' }],
    ['for five minutes although it is not to be stored', 300, { 'cache-control': 'no-store, max-age=3600' }],
    ['for five minutes although it has expired', 300, { expires: '0' }],
    ['for five minutes where the age is nonsense', 300, { 'cache-control': 'max-age=3600', age: 'old' }],
    ['for five minutes where another directive ends alike', 300, { 'cache-control': 'x-max-age=3600' }],
  ])('%s: %d seconds', (_, seconds, headers) => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW });
    expect(freshnessOf(new Headers(headers))).toBe(seconds);
  });
});
