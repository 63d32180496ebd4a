/* What the compiled module does in its innermost loops, instruction by instruction. */
import { readFileSync } from 'node:fs';
import binaryen from 'assemblyscript/binaryen';
import type { Operations } from '../../bench/operations.js';

/** A node of the text format: its name and its parts. */
type Node = readonly (string | Node)[];

const isNode = (part: string | Node): part is Node => typeof part !== 'string';

function parse(text: string): Node {
  const tokens = text.match(/\(|\)|"(?:[^"\\]|\\.)*"|[^\s()]+/g) as string[];
  let at = 1;
  const node = (): Node => {
    const parts: (string | Node)[] = [];
    for (; tokens[at] !== ')'; at++) {
      if (tokens[at] !== '(') parts.push(tokens[at]);
      else {
        at++;
        parts.push(node());
      }
    }
    return parts;
  };
  return node();
}

const partsOf = (node: Node): Node[] => node.filter(isNode);

function contains(node: Node, name: string): boolean {
  return node[0] === name || partsOf(node).some((part) => contains(part, name));
}

/** Loops that have no loop within. */
function innermostLoops(node: Node): Node[] {
  return partsOf(node).flatMap((part) => {
    const inner = partsOf(part).some((p) => contains(p, 'loop'));
    return part[0] === 'loop' && !inner ? [part] : innermostLoops(part);
  });
}

function calledFrom(node: Node): string[] {
  const own = node[0] === 'call' ? [node[1] as string] : [];
  return [...own, ...partsOf(node).flatMap(calledFrom)];
}

/** Which of the counted operations an instruction is; nothing for constants, scalars and what only moves between registers. */
function classOf(name: string): keyof Operations | undefined {
  if (/^f\d+x\d+\.(add|sub|pmin|pmax)$/.test(name)) return 'additions';
  if (/^f\d+x\d+\.mul$/.test(name)) return 'multiplications';
  if (/^f\d+x\d+\.sqrt$/.test(name)) return 'roots';
  if (/^f\d+x\d+\.div$/.test(name)) return 'divisions';
  if (name === 'i8x16.shuffle') return 'shuffles';
  if (/^(v128|i32)\.load/.test(name)) return 'loads';
  if (name === 'v128.store') return 'stores';
  if (/^(v128\.(const|any_true)|.*\.(splat|replace_lane|extract_lane))$/.test(name)) return undefined;
  return /^(v128|[if]\d+x\d+)\./.test(name) ? 'others' : undefined;
}

/** Counts along one path: of a choice with two ways that do something the second, of one with one way that way if `optional`. */
function count(node: Node, optional: boolean, total: Record<string, number>): void {
  const [name, ...rest] = node;
  const parts = rest.filter(isNode);
  if (name === 'if') {
    const other: Record<string, number> = {};
    for (const part of parts) if (part[0] === 'else') count(part, optional, other);
    const skipped = Object.keys(other).length > 0 || !optional ? 'then' : 'else';
    for (const part of parts) if (part[0] !== skipped) count(part, optional, total);
    return;
  }
  const kind = classOf(name as string);
  if (kind !== undefined) total[kind] = (total[kind] ?? 0) + 1;
  for (const part of parts) count(part, optional, total);
}

/** The innermost loops of what an export calls, by their operations. */
export class ModuleLoops {
  readonly #functions = new Map<string, Node>();
  readonly #exports = new Map<string, string>();

  constructor(path: URL) {
    const module = binaryen.readBinary(readFileSync(path));
    module.setFeatures(binaryen.Features.All);
    for (const node of partsOf(parse(module.emitText()))) {
      if (node[0] === 'func') this.#functions.set(node[1] as string, node);
      if (node[0] === 'export') this.#exports.set((node[1] as string).slice(1, -1), (node[2] as Node)[1] as string);
    }
    module.dispose();
  }

  /** With `optional`, conditions without another way count as true: kernels ask in a loop whether there is a third dimension. */
  of(name: string, optional: boolean): Operations[] {
    const seen = new Set<string>();
    const waiting = [this.#exports.get(name)!];
    const loops: Operations[] = [];
    for (let called = waiting.pop(); called !== undefined; called = waiting.pop()) {
      const body = this.#functions.get(called);
      if (seen.has(called) || body === undefined) continue;
      seen.add(called);
      waiting.push(...calledFrom(body));
      for (const loop of innermostLoops(body)) {
        const total: Record<string, number> = {};
        // The condition that all of a loop's body stands behind is no choice.
        const header = partsOf(loop).find(([kind]) => kind === 'if');
        const [condition, ...inside] = header === undefined ? [loop] : partsOf(header);
        for (const part of [condition, ...inside]) count(part, optional, total);
        loops.push(total);
      }
    }
    return loops;
  }
}
