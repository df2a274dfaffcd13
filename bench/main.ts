import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { measureDecision, measureModuleStarts } from './authorizer';
import { measureColdStart } from './cold-start';
import { Contestant } from './contestant';
import { measureCosts } from './cost';
import { measureMemory } from './memory';
import { type Row, table, writeInto } from './report';
import { median, progress } from './statistics';
import { measureTable } from './table';
import { measureWarmCpu } from './warm';

const BUNDLES = {
  stock: 'bench/built/stock.js',
  provider: 'assets/provider/index.js',
  jose: 'bench/built/jose.js',
  authorizer: 'assets/authorizer/index.js',
  empty: 'bench/built/empty.js',
};

/** `npm run bench -- main 2000 10000` makes do with fewer; what was really run stands in the results. */
const [SIGN_INS = 10_000, MANY = 1_000_000] = process.argv.slice(2).map(Number);
const FEW = 1_000;

/** What notes on oidc-provider 9.13.3 found for the stock server: KiB, operations of its adapter. */
const NOTED = { bundle: 1152, signIn: 12, codeToTokens: 5, refresh: 5, revocation: 7 };

async function main(): Promise<void> {
  const size = (path: string) => ({
    kib: statSync(path).size / 1024,
    gzipKib: gzipSync(readFileSync(path)).length / 1024,
  });
  const sizes = Object.fromEntries(Object.entries(BUNDLES).map(([name, path]) => [name, size(path)]));
  const later = readdirSync(dirname(BUNDLES.provider)).map((name) => join(dirname(BUNDLES.provider), name));
  const providerKib = later.reduce((sum, path) => sum + size(path).kib, 0);

  progress('The authorizer: module starts');
  const starts = measureModuleStarts({ empty: BUNDLES.empty, jose: BUNDLES.jose, authorizer: BUNDLES.authorizer }, 31);
  progress('The authorizer: decisions');
  const decision = await measureDecision(BUNDLES.authorizer, BUNDLES.jose, 100);

  await using stock = await Contestant.start(BUNDLES.stock);
  await using ours = await Contestant.start(BUNDLES.provider);
  progress('Calls, rounds and capacity units');
  const costs = { stock: await measureCosts(stock), ours: await measureCosts(ours) };
  progress('Cold starts');
  const [coldStock, coldOurs] = await measureColdStart([stock, ours], 61);
  progress('CPU time of a refresh on a warm instance');
  const [cpuStock, cpuOurs] = await measureWarmCpu([stock, ours], 20);
  progress('Memory of a warm instance');
  const memory = await measureMemory(ours, SIGN_INS);
  progress('A small table and a large one');
  await using filled = await Contestant.start(BUNDLES.provider);
  const tables = await measureTable(filled, FEW, MANY);

  // Three samples each, for one alone lies wherever the last optimization of V8 has left it.
  const heapOf = (samples: typeof memory) => median(samples.map(({ heapUsed }) => heapUsed)) / 2 ** 20;
  const heap = { early: heapOf(memory.slice(0, 3)), late: heapOf(memory.slice(-3)) };
  const rounds = (of: 'signIn' | 'codeToTokens' | 'refresh' | 'revocation', what: string, most: number): Row => ({
    what: `${what}: rounds to DynamoDB, one after the other`,
    stock: `${costs.stock[of].rounds} (${costs.stock[of].adapterOperations} of its adapter)`,
    ours: String(costs.ours[of].rounds),
    limit: `at most ${most}`,
    reached: costs.ours[of].rounds <= most,
  });
  const ratio = (what: string, unit: string, a: number, b: number, most: number): Row => ({
    what,
    stock: `${a.toPrecision(3)} ${unit}`,
    ours: `${b.toPrecision(3)} ${unit} (${(b / a).toFixed(2)})`,
    limit: `at most ${most} of stock`,
    reached: b / a <= most,
  });
  const rows: Row[] = [
    ratio('Authorizer: CPU time of a decision, warm', 'ms', decision.bare, decision.ours, 1.2),
    {
      what: 'Authorizer: bundle',
      stock: `${sizes.jose?.kib.toFixed(0)} KiB`,
      ours: `${sizes.authorizer?.kib.toFixed(0)} KiB`,
      limit: 'at most 40 KiB',
      reached: (sizes.authorizer?.kib ?? 0) <= 40,
    },
    {
      what: 'Authorizer: module start, more than an empty module',
      stock: `${(starts.jose - starts.empty).toFixed(1)} ms`,
      ours: `${(starts.authorizer - starts.empty).toFixed(1)} ms`,
      limit: 'at most 5 ms',
      reached: starts.authorizer - starts.empty <= 5,
    },
    ratio('Provider: fresh process to first answered /token, CPU time', 'ms', coldStock!.cpu, coldOurs!.cpu, 0.5),
    ratio('Provider: the same by the clock', 'ms', coldStock!.firstToken, coldOurs!.firstToken, 0.5),
    {
      what: "Provider: the same with Node's own start, which is the same for both",
      stock: `${coldStock!.process.toPrecision(3)} ms`,
      ours: `${coldOurs!.process.toPrecision(3)} ms (${(coldOurs!.process / coldStock!.process).toFixed(2)})`,
    },
    {
      what: 'Provider: bundle, with what it loads later',
      stock: `${sizes.stock?.kib.toFixed(0)} KiB`,
      ours: `${providerKib.toFixed(0)} KiB`,
      limit: 'at most 750 KiB',
      reached: providerKib <= 750,
    },
    rounds('codeToTokens', 'Code to tokens', 2),
    rounds('refresh', 'Refresh', 2),
    rounds('signIn', 'Sign-in, /authorize to code', 8),
    rounds('revocation', 'Revocation', 2),
    ratio('CPU time of a refresh, warm', 'ms', cpuStock!, cpuOurs!, 0.8),
    {
      what: `Heap of a warm instance, from the 1,000th to the ${SIGN_INS.toLocaleString('en')}th sign-in`,
      stock: '',
      ours: `${heap.early.toFixed(1)} to ${heap.late.toFixed(1)} MiB`,
      limit: 'no growth (at most 3 %)',
      reached: heap.late <= heap.early * 1.03,
    },
    {
      what: `A table with ${MANY.toLocaleString('en')} records beside one with ${FEW.toLocaleString('en')}: calls and capacity units`,
      stock: '',
      ours: JSON.stringify(tables.few) === JSON.stringify(tables.many) ? 'the same' : 'not the same',
      limit: 'the same',
      reached: JSON.stringify(tables.few) === JSON.stringify(tables.many),
    },
  ];
  const reproduced = {
    bundle: sizes.stock!.kib / NOTED.bundle,
    signIn: costs.stock.signIn.adapterOperations! / NOTED.signIn,
    codeToTokens: costs.stock.codeToTokens.adapterOperations! / NOTED.codeToTokens,
    refresh: costs.stock.refresh.adapterOperations! / NOTED.refresh,
    revocation: costs.stock.revocation.adapterOperations! / NOTED.revocation,
  };
  const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model ?? '' };
  const results = {
    date: new Date().toISOString().slice(0, 10),
    machine,
    rows,
    sizes,
    starts,
    decision,
    costs,
    cold: { stock: coldStock, ours: coldOurs },
    warmCpu: { stock: cpuStock, ours: cpuOurs },
    memory,
    tables,
    reproduced,
  };
  writeFileSync('bench/results.json', `${JSON.stringify(results, undefined, 2)}\n`);
  const text = table(rows);
  writeInto('bench', `${text}\n\nMeasured on ${results.date} with Node ${machine.node} on ${machine.cpus} CPUs.`);
  console.log(text);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
