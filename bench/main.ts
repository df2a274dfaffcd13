import { measureColdStart } from './cold-start';
import { Contestant } from './contestant';

async function main() {
  await using stock = await Contestant.start('bench/built/stock.js');
  await using ours = await Contestant.start('assets/provider/index.js');
  console.log(await measureColdStart([stock, ours], 21));
}
main();
