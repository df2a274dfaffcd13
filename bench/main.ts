import { measureDecision, measureModuleStarts } from './authorizer';
async function main() {
  console.log(measureModuleStarts({ empty: 'bench/built/empty.js', jose: 'bench/built/jose.js', ours: 'assets/authorizer/index.js' }, 15));
  console.log(await measureDecision('assets/authorizer/index.js', 'bench/built/jose.js', 100));
}
main();
