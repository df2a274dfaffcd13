// A function's instance in a process of its own: loads the bundle that argv names and answers the events that it is sent; the first one
// may lie in the environment, so that nothing but the function itself is waited for.
const start = performance.now();
const startCpu = process.cpuUsage();
const bundle = require(process.argv[2]);
const loaded = performance.now() - start;
console.log = console.error = () => {};

async function answer(event) {
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  const result = await bundle.handler(event, { getRemainingTimeInMillis: () => 29_000 });
  const ended = performance.now();
  return {
    result,
    ms: ended - began,
    cpu: milliseconds(process.cpuUsage(cpuBefore)),
    sinceStart: ended - start,
    cpuSinceStart: milliseconds(process.cpuUsage(startCpu)),
    sinceBoot: ended,
    operations: bundle.operations?.count,
  };
}

function milliseconds({ user, system }) {
  return (user + system) / 1000;
}

function memory() {
  global.gc();
  global.gc();
  return process.memoryUsage();
}

process.on('message', async ({ event }) => process.send(event ? await answer(event) : memory()));
if (process.env.FIRST_EVENT)
  answer(JSON.parse(process.env.FIRST_EVENT)).then((first) => process.send({ loaded, first }));
else process.send({ loaded });
