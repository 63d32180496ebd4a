export { type MapOptions, type RunOptions, WorkerPool, type WorkerPoolOptions } from './pool.js';
export { type Moved, moved, type Task, type TaskContext, type TaskFunction } from './task.js';
