import { measureColdStart } from './cold-start';
import { Contestant } from './contestant';
import { measureWarmCpu } from './warm';

async function main() {
  await using stock = await Contestant.start('bench/built/stock.js');
  await using ours = await Contestant.start('assets/provider/index.js');
  if (process.argv[2] === 'cold') console.log(await measureColdStart([stock, ours], 15));
  else console.log(await measureWarmCpu([stock, ours], 8));
}
main();
