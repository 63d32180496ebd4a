// What Piscina loads, which it does by require(). In Node.js 20 the process aborts where a thread is ended while require() is
// instantiating an ES module; import() is safe. Piscina awaits the promise, so that a worker is ready when its modules are.
export = { runTask: import('./worker.js').then((worker) => worker.runTask) };
